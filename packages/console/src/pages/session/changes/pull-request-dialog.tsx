import { useState } from 'preact/hooks';
import type { PullRequest } from '@agentapi-proxy/client';
import { webAddress } from '../../../api/api-address.ts';
import { Button } from '../../../components/button.tsx';
import { Dialog } from '../../../components/dialog.tsx';
import { Check, Field } from '../../../components/field.tsx';
import { Icon } from '../../../components/icon.tsx';
import { ErrorNotice } from '../../../components/notice.tsx';
import { useConsole } from '../../../console-context.ts';
import { COMMON } from '../../../texts/common.ts';
import { CHANGES, PULL_REQUEST } from '../../../texts/workspace.ts';

interface PullRequestDialogProps {
  readonly sessionId: string;
  readonly branch: string | null;
  readonly onClose: () => void;
}

const FORM = 'pull-request-form';

/** Asks what a pull request shall say, opens it, and leads there. */
export function PullRequestDialog({ sessionId, branch, onClose }: PullRequestDialogProps) {
  const { client } = useConsole();
  const [title, setTitle] = useState('');
  const [body, setBody] = useState('');
  const [base, setBase] = useState('');
  const [draft, setDraft] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [wasAsked, setAsked] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [opened, setOpened] = useState<PullRequest | null>(null);
  const submit = async (): Promise<void> => {
    setAsked(true);
    if (title.trim() === '') return;
    setBusy(true);
    setError(null);
    try {
      const request = { title, body, draft, ...(base.trim() === '' ? {} : { base: base.trim() }) };
      setOpened(await client.session(sessionId).git.openPullRequest(request));
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
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
  const isMissing = wasAsked && title.trim() === '';
  return (
    <Dialog
      title={PULL_REQUEST.title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button variant="primary" type="submit" form={FORM} busy={isBusy}>
            {PULL_REQUEST.submit}
          </Button>
        </>
      }
    >
      <form
        id={FORM}
        class="dialog-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {error !== null && <ErrorNotice title={PULL_REQUEST.failed} error={error} />}
        <p>{PULL_REQUEST.text(branch ?? CHANGES.noBranch)}</p>
        <Field label={PULL_REQUEST.name} error={isMissing ? PULL_REQUEST.nameMissing : undefined}>
          {(control) => (
            <input
              {...control}
              class="input"
              dir="auto"
              maxLength={256}
              value={title}
              onInput={({ currentTarget }) => setTitle(currentTarget.value)}
            />
          )}
        </Field>
        <Field label={PULL_REQUEST.body} hint={PULL_REQUEST.bodyHint}>
          {(control) => (
            <textarea
              {...control}
              class="input"
              dir="auto"
              rows={5}
              value={body}
              onInput={({ currentTarget }) => setBody(currentTarget.value)}
            />
          )}
        </Field>
        <Field label={PULL_REQUEST.base} hint={PULL_REQUEST.baseHint}>
          {(control) => (
            <input
              {...control}
              class="input mono"
              value={base}
              onInput={({ currentTarget }) => setBase(currentTarget.value)}
            />
          )}
        </Field>
        <Check label={PULL_REQUEST.draft} checked={draft} onChange={setDraft} />
      </form>
    </Dialog>
  );
}
