import { useState } from 'preact/hooks';
import type { GitStatus } from '@agentapi-proxy/client';
import { Check } from '../../../components/field.tsx';
import { FormDialog } from '../../../components/form-dialog.tsx';
import { Notice } from '../../../components/notice.tsx';
import { TextField } from '../../../components/text-field.tsx';
import { useFormDraft } from '../../../components/use-form-draft.ts';
import { useConsole } from '../../../console-context.ts';
import { PUSH } from '../../../texts/workspace.ts';
import type { PushForm } from './github-forms.ts';

interface PushDialogProps {
  readonly sessionId: string;
  readonly status: GitStatus;
  readonly onClose: () => void;
}

/** Asks before the last commit goes to GitHub. */
export function PushDialog({ sessionId, status, onClose }: PushDialogProps) {
  const { client, drafts, toasts } = useConsole();
  const [kept, trackDraft] = useFormDraft(drafts.pushes, sessionId);
  const [form, setForm] = useState<PushForm>(kept ?? { branch: status.branch ?? '', force: false });
  trackDraft(form);
  const { branch, force } = form;
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
      wasTouched={kept !== null}
      onSubmit={push}
      onClose={onClose}
    >
      <p>{PUSH.text(status.commit?.slice(0, 8) ?? '')}</p>
      {!status.clean && <Notice tone="warning">{PUSH.notCommitted}</Notice>}
      <TextField
        label={PUSH.branch}
        class="mono"
        value={branch}
        onChange={(text) => setForm({ force, branch: text })}
      />
      <Check
        label={PUSH.force}
        checked={force}
        onChange={(isForced) => setForm({ branch, force: isForced })}
      />
    </FormDialog>
  );
}
