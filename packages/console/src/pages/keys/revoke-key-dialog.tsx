import { useState } from 'preact/hooks';
import type { ApiKey } from '@agentapi-proxy/client';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ErrorNotice, Notice } from '../../components/notice.tsx';
import { useConsole } from '../../console-context.ts';
import { KEYS } from '../../texts/administration.ts';
import { COMMON } from '../../texts/common.ts';

interface RevokeKeyDialogProps {
  readonly apiKey: ApiKey;
  readonly onRevoked: () => void;
  readonly onClose: () => void;
}

/** Asks before a key ends at once. */
export function RevokeKeyDialog({ apiKey, onRevoked, onClose }: RevokeKeyDialogProps) {
  const { auth, client, toasts } = useConsole();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const revoke = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await client.apiKeys.revoke(apiKey.id);
      toasts.success(KEYS.revoked(apiKey.name));
      onRevoked();
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={KEYS.revokeTitle(apiKey.name)}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button variant="danger" busy={isBusy} onClick={() => void revoke()}>
            {KEYS.revokeSubmit}
          </Button>
        </>
      }
    >
      {error !== null && <ErrorNotice title={KEYS.revokeFailed} error={error} />}
      <p>{KEYS.revokeText}</p>
      {auth.me?.key?.id === apiKey.id && <Notice tone="warning">{KEYS.revokeOwn}</Notice>}
    </Dialog>
  );
}
