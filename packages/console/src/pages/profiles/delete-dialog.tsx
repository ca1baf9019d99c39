import { useState } from 'preact/hooks';
import type { Profile } from '@agentapi-proxy/client';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ErrorNotice } from '../../components/notice.tsx';
import { useConsole } from '../../console-context.ts';
import { COMMON } from '../../texts/common.ts';
import { DELETE_PROFILE } from '../../texts/profiles.ts';

interface DeleteDialogProps {
  readonly profile: Profile;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}

/** Asks whether a profile shall be removed, and removes it. */
export function DeleteDialog({ profile, onClose, onDeleted }: DeleteDialogProps) {
  const { client, toasts } = useConsole();
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const remove = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await client.profiles.delete(profile.id);
      toasts.success(DELETE_PROFILE.done(profile.name));
      onDeleted();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={DELETE_PROFILE.title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button variant="danger" busy={isBusy} onClick={() => void remove()}>
            {DELETE_PROFILE.confirm}
          </Button>
        </>
      }
    >
      {failure !== null && <ErrorNotice title={DELETE_PROFILE.failed} error={failure} />}
      <p dir="auto">{DELETE_PROFILE.text(profile.name)}</p>
      <p>{DELETE_PROFILE.sessionsStay}</p>
    </Dialog>
  );
}
