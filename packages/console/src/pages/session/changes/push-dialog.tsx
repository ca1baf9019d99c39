import { useState } from 'preact/hooks';
import type { GitStatus } from '@agentapi-proxy/client';
import { Check } from '../../../components/field.tsx';
import { FormDialog } from '../../../components/form-dialog.tsx';
import { Notice } from '../../../components/notice.tsx';
import { TextField } from '../../../components/text-field.tsx';
import { useConsole } from '../../../console-context.ts';
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
  const push = async (close: () => void): Promise<void> => {
    const name = branch.trim();
    const pushed = await client
      .session(sessionId)
      .git.push({ force, ...(name === '' ? {} : { branch: name }) });
    toasts.success(PUSH.results[pushed.result](pushed.branch));
    close();
  };
  return (
    <FormDialog
      title={PUSH.title}
      submit={PUSH.submit}
      failed={PUSH.failed}
      onSubmit={push}
      onClose={onClose}
    >
      <p>{PUSH.text(status.commit?.slice(0, 8) ?? '')}</p>
      {!status.clean && <Notice tone="warning">{PUSH.notCommitted}</Notice>}
      <TextField label={PUSH.branch} class="mono" value={branch} onChange={setBranch} />
      <Check label={PUSH.force} checked={force} onChange={setForce} />
    </FormDialog>
  );
}
