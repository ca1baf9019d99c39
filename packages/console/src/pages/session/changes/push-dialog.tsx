import { useState } from 'preact/hooks';
import type { GitStatus } from '@agentapi-proxy/client';
import { Button } from '../../../components/button.tsx';
import { Dialog } from '../../../components/dialog.tsx';
import { Check, Field } from '../../../components/field.tsx';
import { ErrorNotice, Notice } from '../../../components/notice.tsx';
import { useConsole } from '../../../console-context.ts';
import { COMMON } from '../../../texts/common.ts';
import { PUSH } from '../../../texts/workspace.ts';

interface PushDialogProps {
  readonly sessionId: string;
  readonly status: GitStatus;
  readonly onClose: () => void;
}

/** Asks before the last commit goes to GitHub. */
export function PushDialog({ sessionId, status, onClose }: PushDialogProps) {
  const { client, toasts } = useConsole();
  const [branch, setBranch] = useState(status.branch ?? '');
  const [force, setForce] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const push = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const name = branch.trim();
      const pushed = await client
        .session(sessionId)
        .git.push({ force, ...(name === '' ? {} : { branch: name }) });
      toasts.success(PUSH.results[pushed.result](pushed.branch));
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={PUSH.title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button variant="primary" busy={isBusy} onClick={() => void push()}>
            {PUSH.submit}
          </Button>
        </>
      }
    >
      {error !== null && <ErrorNotice title={PUSH.failed} error={error} />}
      <p>{PUSH.text(status.commit?.slice(0, 8) ?? '')}</p>
      {!status.clean && <Notice tone="warning">{PUSH.notCommitted}</Notice>}
      <Field label={PUSH.branch}>
        {(control) => (
          <input
            {...control}
            class="input mono"
            value={branch}
            onInput={({ currentTarget }) => setBranch(currentTarget.value)}
          />
        )}
      </Field>
      <Check label={PUSH.force} checked={force} onChange={setForce} />
    </Dialog>
  );
}
