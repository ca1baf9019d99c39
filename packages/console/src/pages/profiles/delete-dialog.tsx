import type { Profile } from '@agentapi-proxy/client';
import { FormDialog } from '../../components/form-dialog.tsx';
import { useConsole } from '../../console-context.ts';
import { DELETE_PROFILE } from '../../texts/profiles.ts';

interface DeleteDialogProps {
  readonly profile: Profile;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}

/** Asks whether a profile shall be removed, and removes it. */
export function DeleteDialog({ profile, onClose, onDeleted }: DeleteDialogProps) {
  const { client, toasts } = useConsole();
  const remove = async (close: () => void): Promise<void> => {
    await client.profiles.delete(profile.id);
    toasts.success(DELETE_PROFILE.done(profile.name));
    onDeleted();
    close();
  };
  return (
    <FormDialog
      title={DELETE_PROFILE.title}
      submit={DELETE_PROFILE.confirm}
      variant="danger"
      failed={DELETE_PROFILE.failed}
      onSubmit={remove}
      onClose={onClose}
    >
      <p dir="auto">{DELETE_PROFILE.text(profile.name)}</p>
      <p>{DELETE_PROFILE.sessionsStay}</p>
    </FormDialog>
  );
}
