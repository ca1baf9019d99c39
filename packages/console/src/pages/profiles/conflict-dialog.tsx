import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { COMMON } from '../../texts/common.ts';
import { CONFLICT, PROFILE } from '../../texts/profiles.ts';
import type { ProfileMember } from './profile-form.ts';

interface ConflictDialogProps {
  /** What the others have changed. */
  readonly theirs: readonly ProfileMember[];
  /** What has been changed here. */
  readonly mine: readonly ProfileMember[];
  readonly onClose: () => void;
  readonly onReload: () => void;
  readonly onOverwrite: () => void;
}

/** Two have changed the same profile: says what happened, and asks whose shall hold. */
export function ConflictDialog({ theirs, mine, onClose, onReload, onOverwrite }: ConflictDialogProps) {
  return (
    <Dialog
      title={CONFLICT.title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button icon="refresh" onClick={onReload}>
            {CONFLICT.reload}
          </Button>
          <Button variant="primary" onClick={onOverwrite}>
            {CONFLICT.overwrite}
          </Button>
        </>
      }
    >
      <p>{CONFLICT.text}</p>
      {theirs.length === 0 ? (
        <p>{CONFLICT.nothing}</p>
      ) : (
        <div>
          <p>{CONFLICT.theirs}</p>
          <ul class="conflict-fields">
            {theirs.map((member) => (
              <li key={member}>
                {mine.includes(member) ? CONFLICT.both(PROFILE.fields[member]) : PROFILE.fields[member]}
              </li>
            ))}
          </ul>
        </div>
      )}
      <p class="muted">{CONFLICT.advice}</p>
    </Dialog>
  );
}
