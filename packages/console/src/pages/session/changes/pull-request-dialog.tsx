import { useState } from 'preact/hooks';
import type { PullRequest } from '@agentapi-proxy/client';
import { webAddress } from '../../../api/api-address.ts';
import { Button } from '../../../components/button.tsx';
import { Dialog } from '../../../components/dialog.tsx';
import { Check } from '../../../components/field.tsx';
import { FormDialog } from '../../../components/form-dialog.tsx';
import { Icon } from '../../../components/icon.tsx';
import { useFormDraft } from '../../../components/use-form-draft.ts';
import { useIsGone } from '../../../components/use-is-gone.ts';
import { TextAreaField, TextField } from '../../../components/text-field.tsx';
import { useConsole } from '../../../console-context.ts';
import { COMMON } from '../../../texts/common.ts';
import { CHANGES, PULL_REQUEST } from '../../../texts/workspace.ts';
import { NEW_PULL_REQUEST, type PullRequestForm } from './github-forms.ts';

interface PullRequestDialogProps {
  readonly sessionId: string;
  readonly branch: string | null;
  readonly onClose: () => void;
}

/** Asks what a pull request shall say, opens it, and leads there. */
export function PullRequestDialog({ sessionId, branch, onClose }: PullRequestDialogProps) {
  const { client, drafts, toasts } = useConsole();
  const isGone = useIsGone();
  const [kept, trackDraft] = useFormDraft(drafts.pullRequests, sessionId);
  const [form, setForm] = useState(kept ?? NEW_PULL_REQUEST);
  const { title, body, base, draft } = form;
  const change = (part: Partial<PullRequestForm>): void => setForm((known) => ({ ...known, ...part }));
  const [wasAsked, setAsked] = useState(false);
  const [opened, setOpened] = useState<PullRequest | null>(null);
  trackDraft(opened === null ? form : null);
  const isMissing = title.trim() === '';
  const submit = async (): Promise<void> => {
    setAsked(true);
    if (isMissing) return;
    const request = { title, body, draft, ...(base.trim() === '' ? {} : { base: base.trim() }) };
    const made = await client.session(sessionId).git.openPullRequest(request);
    if (isGone.current) toasts.success(PULL_REQUEST.done(made.number));
    else setOpened(made);
  };
  if (opened !== null) {
    const address = webAddress(opened.url);
    return (
      <Dialog
        title={PULL_REQUEST.done(opened.number)}
        onClose={onClose}
        actions={<Button onClick={onClose}>{COMMON.close}</Button>}
      >
        {address === null ? (
          <p>{opened.url}</p>
        ) : (
          <a href={address} target="_blank" rel="noreferrer">
            {PULL_REQUEST.show} <Icon name="external" />
          </a>
        )}
      </Dialog>
    );
  }
  return (
    <FormDialog
      title={PULL_REQUEST.title}
      submit={PULL_REQUEST.submit}
      failed={PULL_REQUEST.failed}
      wasTouched={kept !== null}
      onSubmit={submit}
      onClose={onClose}
    >
      <p>{PULL_REQUEST.text(branch ?? CHANGES.noBranch)}</p>
      <TextField
        label={PULL_REQUEST.name}
        error={wasAsked && isMissing ? PULL_REQUEST.nameMissing : undefined}
        dir="auto"
        maxLength={256}
        value={title}
        onChange={(text) => change({ title: text })}
      />
      <TextAreaField
        label={PULL_REQUEST.body}
        hint={PULL_REQUEST.bodyHint}
        dir="auto"
        rows={5}
        value={body}
        onChange={(text) => change({ body: text })}
      />
      <TextField
        label={PULL_REQUEST.base}
        hint={PULL_REQUEST.baseHint}
        class="mono"
        value={base}
        onChange={(text) => change({ base: text })}
      />
      <Check label={PULL_REQUEST.draft} checked={draft} onChange={(isDraft) => change({ draft: isDraft })} />
    </FormDialog>
  );
}
