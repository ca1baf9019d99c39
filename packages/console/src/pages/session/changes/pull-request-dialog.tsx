import { useState } from 'preact/hooks';
import type { PullRequest } from '@agentapi-proxy/client';
import { webAddress } from '../../../api/api-address.ts';
import { Button } from '../../../components/button.tsx';
import { Dialog } from '../../../components/dialog.tsx';
import { Check } from '../../../components/field.tsx';
import { FormDialog } from '../../../components/form-dialog.tsx';
import { Icon } from '../../../components/icon.tsx';
import { useIsGone } from '../../../components/use-is-gone.ts';
import { TextAreaField, TextField } from '../../../components/text-field.tsx';
import { useConsole } from '../../../console-context.ts';
import { COMMON } from '../../../texts/common.ts';
import { CHANGES, PULL_REQUEST } from '../../../texts/workspace.ts';

interface PullRequestDialogProps {
  readonly sessionId: string;
  readonly branch: string | null;
  readonly onClose: () => void;
}

/** Asks what a pull request shall say, opens it, and leads there. */
export function PullRequestDialog({ sessionId, branch, onClose }: PullRequestDialogProps) {
  const { client, toasts } = useConsole();
  const isGone = useIsGone();
  const [title, setTitle] = useState('');
  const [body, setBody] = useState('');
  const [base, setBase] = useState('');
  const [draft, setDraft] = useState(false);
  const [wasAsked, setAsked] = useState(false);
  const [opened, setOpened] = useState<PullRequest | null>(null);
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
        onChange={setTitle}
      />
      <TextAreaField
        label={PULL_REQUEST.body}
        hint={PULL_REQUEST.bodyHint}
        dir="auto"
        rows={5}
        value={body}
        onChange={setBody}
      />
      <TextField
        label={PULL_REQUEST.base}
        hint={PULL_REQUEST.baseHint}
        class="mono"
        value={base}
        onChange={setBase}
      />
      <Check label={PULL_REQUEST.draft} checked={draft} onChange={setDraft} />
    </FormDialog>
  );
}
