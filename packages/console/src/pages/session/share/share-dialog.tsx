import { useId, useState } from 'preact/hooks';
import type { ShareAccess } from '@agentapi-proxy/client';
import { consoleAddress } from '../../../api/api-address.ts';
import { useLoaded } from '../../../api/use-loaded.ts';
import { Button } from '../../../components/button.tsx';
import { CopyButton } from '../../../components/copy-button.tsx';
import { Dialog } from '../../../components/dialog.tsx';
import { Loading } from '../../../components/loading.tsx';
import { ErrorNotice } from '../../../components/notice.tsx';
import { RelativeTime } from '../../../components/relative-time.tsx';
import { choicesOf, SelectField } from '../../../components/select.tsx';
import { TextField } from '../../../components/text-field.tsx';
import { useFormDraft } from '../../../components/use-form-draft.ts';
import { useConsole } from '../../../console-context.ts';
import { COMMON } from '../../../texts/common.ts';
import { SHARE } from '../../../texts/workspace.ts';
import { NEW_SHARE, type ShareForm } from './share-form.ts';
import { DURATIONS, endOf, LINK_DURATIONS, linkAddress, SECONDS, type Duration } from './share-until.ts';
import './share-dialog.css';

const ACCESSES: readonly ShareAccess[] = ['read', 'write'];

interface ShareDialogProps {
  readonly sessionId: string;
  readonly onClose: () => void;
}

/** Lets others into a session, and takes it back from them. */
export function ShareDialog({ sessionId, onClose }: ShareDialogProps) {
  const { client, drafts, toasts } = useConsole();
  const { shares } = client.session(sessionId);
  const [kept, trackDraft] = useFormDraft(drafts.shares, sessionId);
  const [form, setForm] = useState(kept ?? NEW_SHARE);
  trackDraft(form);
  const change = (part: Partial<ShareForm>): void => setForm((known) => ({ ...known, ...part }));
  const [failure, setFailure] = useState<unknown>(null);
  const { value, error, reload } = useLoaded((signal) => shares.list({ signal }), [sessionId]);
  /** @returns what came of it; `undefined` when it failed */
  const run = async <T,>(work: () => Promise<T>): Promise<T | undefined> => {
    setFailure(null);
    try {
      const result = await work();
      reload();
      return result;
    } catch (reason) {
      setFailure(reason);
      return undefined;
    }
  };
  const revoke = async (id: string): Promise<void> => {
    if ((await run(() => shares.revoke(id))) !== undefined) toasts.success(SHARE.revoked);
  };
  return (
    <Dialog
      title={SHARE.title}
      width="wide"
      closesOutside={false}
      onClose={onClose}
      actions={<Button onClick={onClose}>{COMMON.close}</Button>}
    >
      {failure !== null && <ErrorNotice title={SHARE.failed} error={failure} />}
      {error !== null && <ErrorNotice title={SHARE.loadFailed} error={error} onRetry={reload} />}
      {value === null && error === null && <Loading />}
      {value !== null && (
        <>
          <section class="share-part">
            <h3>{SHARE.people}</h3>
            <p class="field-hint">{SHARE.peopleHint}</p>
            <GrantForm
              form={form}
              onChange={change}
              onGrant={async ({ user, access, until }) => {
                const request = { user_id: user.trim(), access, expires_at: endOf(until, Date.now()) };
                return (await run(() => shares.grant(request))) !== undefined;
              }}
            />
            {value.shares.length === 0 ? (
              <p class="muted">{SHARE.nobody}</p>
            ) : (
              <ul role="list" class="share-list">
                {value.shares.map(({ id, user_id: user, access, expires_at: end }) => (
                  <li key={id}>
                    <bdi class="share-name">{user}</bdi>
                    <span class="muted">
                      {SHARE.accesses[access]},{' '}
                      {end === null ? (
                        SHARE.withSession
                      ) : (
                        <>
                          {SHARE.expires} <RelativeTime at={end} />
                        </>
                      )}
                    </span>
                    <Button size="small" aria-label={SHARE.revokeShare(user)} onClick={() => void revoke(id)}>
                      {SHARE.revoke}
                    </Button>
                  </li>
                ))}
              </ul>
            )}
          </section>
          <section class="share-part">
            <h3>{SHARE.links}</h3>
            <p class="field-hint">{SHARE.linksHint}</p>
            <LinkForm
              sessionId={sessionId}
              form={form}
              onChange={change}
              onCreate={async ({ linkUntil }) =>
                (await run(() => shares.createLink({ ttl_seconds: SECONDS[linkUntil] })))?.token
              }
            />
            {value.links.length === 0 ? (
              <p class="muted">{SHARE.noLinks}</p>
            ) : (
              <ul role="list" class="share-list">
                {value.links.map(({ id, created_by: maker, expires_at: end }) => (
                  <li key={id}>
                    <bdi class="share-name">{SHARE.linkOf(maker)}</bdi>
                    <span class="muted">
                      {SHARE.expires} <RelativeTime at={end} />
                    </span>
                    <Button size="small" aria-label={SHARE.revokeLink} onClick={() => void revoke(id)}>
                      {SHARE.revoke}
                    </Button>
                  </li>
                ))}
              </ul>
            )}
          </section>
        </>
      )}
    </Dialog>
  );
}

interface FormPartProps {
  readonly form: ShareForm;
  readonly onChange: (change: Partial<ShareForm>) => void;
}

interface GrantFormProps extends FormPartProps {
  /** @returns whether it worked */
  readonly onGrant: (form: ShareForm) => Promise<boolean>;
}

function GrantForm({ form, onChange, onGrant }: GrantFormProps) {
  const { user, access, until } = form;
  const [wasAsked, setAsked] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setAsked(true);
    if (user.trim() === '') return;
    setBusy(true);
    if (await onGrant(form)) {
      onChange({ user: '' });
      setAsked(false);
    }
    setBusy(false);
  };
  return (
    <form
      class="share-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <TextField
        label={SHARE.user}
        error={wasAsked && user.trim() === '' ? SHARE.userMissing : undefined}
        dir="auto"
        autocomplete="off"
        maxLength={256}
        value={user}
        onChange={(text) => onChange({ user: text })}
      />
      <SelectField
        label={SHARE.access}
        choices={choicesOf(ACCESSES, (each) => SHARE.accesses[each])}
        value={access}
        onChange={(chosen) => onChange({ access: chosen })}
      />
      <UntilField choices={DURATIONS} value={until} onChange={(chosen) => onChange({ until: chosen })} />
      <Button type="submit" variant="primary" icon="users" busy={isBusy}>
        {SHARE.add}
      </Button>
    </form>
  );
}

interface LinkFormProps extends FormPartProps {
  readonly sessionId: string;
  /** @returns the token of the link; `undefined` when it failed */
  readonly onCreate: (form: ShareForm) => Promise<string | undefined>;
}

function LinkForm({ sessionId, form, onChange, onCreate }: LinkFormProps) {
  const [isBusy, setBusy] = useState(false);
  const [token, setToken] = useState<string | null>(null);
  const linkId = useId();
  const create = async (): Promise<void> => {
    setBusy(true);
    setToken((await onCreate(form)) ?? null);
    setBusy(false);
  };
  const address =
    token === null ? null : linkAddress(consoleAddress(`sessions/${encodeURIComponent(sessionId)}`), token);
  return (
    <>
      <div class="share-form">
        <UntilField
          choices={LINK_DURATIONS}
          value={form.linkUntil}
          onChange={(chosen) => onChange({ linkUntil: chosen })}
        />
        <Button icon="share" busy={isBusy} onClick={() => void create()}>
          {SHARE.createLink}
        </Button>
      </div>
      {address !== null && (
        <div class="notice share-link" data-tone="info" role="status">
          <label htmlFor={linkId}>{SHARE.linkReady}</label>
          <input
            id={linkId}
            class="input mono"
            readOnly
            value={address}
            onFocus={({ currentTarget }) => currentTarget.select()}
          />
          <CopyButton text={address} label={SHARE.copyLink} withText />
        </div>
      )}
    </>
  );
}

interface UntilFieldProps<Choice extends Duration> {
  readonly choices: readonly Choice[];
  readonly value: Choice;
  readonly onChange: (value: Choice) => void;
}

function UntilField<Choice extends Duration>({ choices, value, onChange }: UntilFieldProps<Choice>) {
  return (
    <SelectField
      label={SHARE.until}
      choices={choicesOf(choices, (choice) => SHARE.untils[choice])}
      value={value}
      onChange={onChange}
    />
  );
}
