import type { ApiKey } from '@agentapi-proxy/client';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { useConsole } from '../../console-context.ts';
import { KEYS } from '../../texts/administration.ts';

interface RevokeKeyDialogProps {
  readonly apiKey: ApiKey;
  readonly onRevoked: () => void;
  readonly onClose: () => void;
}

/** Asks before a key ends at once. */
export function RevokeKeyDialog({ apiKey, onRevoked, onClose }: RevokeKeyDialogProps) {
  const { auth, client, toasts } = useConsole();
  const revoke = async (close: () => void): Promise<void> => {
    await client.apiKeys.revoke(apiKey.id);
    toasts.success(KEYS.revoked(apiKey.name));
    onRevoked();
    close();
  };
  return (
    <FormDialog
      title={KEYS.revokeTitle(apiKey.name)}
      submit={KEYS.revokeSubmit}
      variant="danger"
      failed={KEYS.revokeFailed}
      onSubmit={revoke}
      onClose={onClose}
    >
      <p>{KEYS.revokeText}</p>
      {auth.me?.key?.id === apiKey.id && <Notice tone="warning">{KEYS.revokeOwn}</Notice>}
    </FormDialog>
  );
}
