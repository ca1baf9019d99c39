import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Link, useLocation, useRouter } from 'wouter-preact';
import { ApiError, type Profile, type VersionedProfile } from '@agentapi-proxy/client';
import { fieldErrorOf } from '../../api/field-error.ts';
import { useLoaded } from '../../api/use-loaded.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { focusFirstInvalid } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { Menu } from '../../components/menu.tsx';
import { ErrorNotice, Notice } from '../../components/notice.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { UnsavedChanges } from '../../components/unsaved-changes.tsx';
import { useFormDraft } from '../../components/use-form-draft.ts';
import { useConsole, usePageTitle } from '../../console-context.ts';
import { PROFILE, PROFILES } from '../../texts/profiles.ts';
import { ConflictDialog } from './conflict-dialog.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { ProfileFields } from './profile-fields.tsx';
import {
  changesOf,
  differencesOf,
  formOfProfile,
  isSameForm,
  membersOf,
  profileProblems,
  rebasedForm,
  requestOf,
  type ProfileForm,
  type ProfileProblems,
} from './profile-form.ts';

interface ProfileEditorProps {
  /** What is changed; `null` for a new profile. */
  readonly stored: VersionedProfile | null;
  /** What the form shows at first. */
  readonly initial: ProfileForm;
  /** Where the values of kept variables are, for a new profile; `null` without any. */
  readonly source: Profile | null;
  readonly title: string;
}

const NO_PROBLEMS: ProfileProblems = new Map();

/** Makes or changes a profile. */
export function ProfileEditor({ stored, initial, source, title }: ProfileEditorProps) {
  const { auth, client, drafts, toasts } = useConsole();
  const [, navigate] = useLocation();
  const router = useRouter();
  const root = useRef<HTMLFormElement>(null);
  const [draft, trackDraft] = useFormDraft(drafts.profiles);
  const [base, setBase] = useState(draft === null ? stored : draft.base);
  const [start, setStart] = useState(draft?.start ?? initial);
  const [form, setForm] = useState(draft?.form ?? initial);
  const latest = useRef(form);
  latest.current = form;
  const [problems, setProblems] = useState(NO_PROBLEMS);
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const [conflict, setConflict] = useState<VersionedProfile | null>(null);
  const [isDeleting, setDeleting] = useState(false);
  const [leavingTo, setLeavingTo] = useState<string | null>(null);
  const shownTitle = base?.profile.name ?? title;
  usePageTitle(shownTitle);

  const canCreate = auth.can('profile:create');
  const canEdit = base === null ? canCreate : auth.can('profile:update');
  const canChoose = auth.can('session:create');
  const isChanged = leavingTo === null && !isSameForm(form, start);
  const isDirty = canEdit && isChanged;
  trackDraft(isChanged ? { form, start, base } : null);
  const choices = useLoaded(
    async (signal) => {
      if (!canChoose) return null;
      const [agents, scripts] = await Promise.all([client.agents({ signal }), client.scripts({ signal })]);
      return { agents, scripts };
    },
    [client, canChoose],
  );

  useLayoutEffect(() => focusFirstInvalid(root.current), [problems]);
  // Only when the page knows that nothing is unsaved any more.
  useEffect(() => {
    if (leavingTo !== null) navigate(leavingTo, { replace: true });
  }, [leavingTo, navigate]);

  /** @param submitted - what was saved; what was changed since is not */
  const show = (version: VersionedProfile, submitted: ProfileForm | null): void => {
    const shown = formOfProfile(version.profile);
    setBase(version);
    setStart(shown);
    setForm((known) =>
      submitted === null || known === submitted ? shown : rebasedForm(known, submitted, shown),
    );
    setProblems(NO_PROBLEMS);
    setConflict(null);
    setFailure(null);
  };
  const refused = async (error: unknown): Promise<void> => {
    const field = fieldErrorOf(error);
    if (field !== null) {
      setProblems(new Map([[field.field, field.text]]));
    } else if (base !== null && error instanceof ApiError && error.status === 412) {
      try {
        setConflict(await client.profiles.get(base.profile.id));
      } catch (failed) {
        setFailure(failed);
      }
    } else {
      setFailure(error);
    }
  };
  /** @param over - the version of somebody else that mine is put over */
  const save = async (over: VersionedProfile | null): Promise<void> => {
    const found = profileProblems(form);
    setProblems(found);
    setFailure(null);
    setConflict(null);
    if (found.size > 0) return;
    setBusy(true);
    try {
      if (base === null) {
        const made = await client.profiles.create(requestOf(form, source));
        const path = `/profiles/${made.profile.id}`;
        if (latest.current !== form) {
          const shown = formOfProfile(made.profile);
          const rebased = rebasedForm(latest.current, form, shown);
          drafts.profiles.keep(`${router.base}${path}`, { form: rebased, start: shown, base: made });
        }
        toasts.success(PROFILE.made);
        setLeavingTo(path);
      } else {
        const { profile, etag } = base;
        const changes = changesOf(form, profile, over?.profile);
        const ifMatch = over === null ? etag : over.etag;
        show(await client.profiles.update(profile.id, changes, { ifMatch }), form);
        toasts.success(PROFILE.saved);
      }
    } catch (error) {
      await refused(error);
    }
    setBusy(false);
  };

  const paths = [...problems.keys()];
  const unplaced = paths.filter((path) => !isShown(path));
  return (
    <>
      <header class="page-header">
        <div class="profile-title">
          <Link href="/profiles" class="profile-back">
            <Icon name="chevronLeft" />
            {PROFILE.back}
          </Link>
          <h1>
            <bdi>{shownTitle}</bdi>{' '}
            {base?.profile.is_default === true && <Badge>{PROFILES.defaultBadge}</Badge>}
          </h1>
        </div>
        {base !== null && (
          <div class="page-actions">
            {auth.can('session:create') && (
              <Link href={`/sessions/new?profile=${base.profile.id}`} class="button" data-variant="secondary">
                <Icon name="play" />
                {PROFILES.start}
              </Link>
            )}
            <Menu
              label={PROFILES.more(base.profile.name)}
              trigger={<Icon name="more" />}
              iconOnly
              align="end"
              groups={[
                canCreate
                  ? [
                      {
                        label: PROFILES.duplicate,
                        icon: 'copy',
                        onSelect: () => navigate(`/profiles/new?from=${base.profile.id}`),
                      },
                    ]
                  : [],
                auth.can('profile:delete')
                  ? [
                      {
                        label: PROFILES.delete,
                        icon: 'trash',
                        tone: 'danger',
                        onSelect: () => setDeleting(true),
                      },
                    ]
                  : [],
              ]}
            />
          </div>
        )}
      </header>
      {!canEdit && <Notice tone="info">{PROFILE.readonly}</Notice>}
      {base !== null && auth.me !== null && base.profile.user_id !== auth.me.user_id && (
        <Notice tone="info">
          <span dir="auto">{PROFILE.foreign(base.profile.user_id)}</span>
        </Notice>
      )}
      {choices.error !== null && (
        <ErrorNotice title={PROFILE.choicesFailed} error={choices.error} onRetry={choices.reload} />
      )}
      <form
        ref={root}
        class="profile-form"
        noValidate
        autocomplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy) void save(null);
        }}
        onKeyDown={(event) => {
          if (event.key !== 's' || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          if (canEdit && !isBusy) void save(null);
        }}
      >
        <fieldset class="profile-fieldset" disabled={!canEdit}>
          <legend class="visually-hidden">{shownTitle}</legend>
          <ProfileFields
            form={form}
            profile={base?.profile ?? null}
            problems={problems}
            agents={choices.value?.agents ?? null}
            scripts={choices.value?.scripts ?? null}
            onChange={(change) => setForm((known) => ({ ...known, ...change }))}
          />
        </fieldset>
        {base !== null && <Times profile={base.profile} />}
        {unplaced.map((path) => (
          <Notice key={path} tone="danger">
            {problems.get(path)}
          </Notice>
        ))}
        {failure !== null && <ErrorNotice title={PROFILE.saveFailed} error={failure} />}
        {canEdit && (
          <div class="profile-save">
            <Button
              type="submit"
              variant="primary"
              icon="check"
              busy={isBusy}
              disabled={base !== null && !isDirty}
            >
              {base === null ? PROFILE.create : PROFILE.save}
            </Button>
            {base !== null && isDirty && (
              <Button
                variant="ghost"
                onClick={() => {
                  setForm(start);
                  setProblems(NO_PROBLEMS);
                  setFailure(null);
                }}
              >
                {PROFILE.discard}
              </Button>
            )}
            <span class="field-hint" role="status">
              {isDirty && PROFILE.unsaved}
            </span>
          </div>
        )}
      </form>
      {isDirty && <UnsavedChanges />}
      {conflict !== null && base !== null && (
        <ConflictDialog
          theirs={differencesOf(base.profile, conflict.profile)}
          mine={membersOf(changesOf(form, base.profile))}
          onClose={() => setConflict(null)}
          onReload={() => show(conflict, null)}
          onOverwrite={() => void save(conflict)}
        />
      )}
      {isDeleting && base !== null && (
        <DeleteDialog
          profile={base.profile}
          onClose={() => setDeleting(false)}
          onDeleted={() => setLeavingTo('/profiles')}
        />
      )}
    </>
  );
}

/** Whether a problem shows at its field. */
function isShown(path: string): boolean {
  const member = path.split('.', 1)[0] ?? '';
  if (member === 'message_templates') return /^message_templates\.\d+\.(?:name|category|content)$/.test(path);
  return Object.hasOwn(PROFILE.fields, member) && member !== 'is_default';
}

function Times({ profile }: { readonly profile: Profile }) {
  return (
    <p class="field-hint">
      {PROFILE.created} <RelativeTime at={profile.created_at} />, {PROFILE.updated}{' '}
      <RelativeTime at={profile.updated_at} />
      {', '}
      {profile.last_used_at === undefined ? (
        PROFILES.neverUsed
      ) : (
        <>
          {PROFILES.used} <RelativeTime at={profile.last_used_at} />
        </>
      )}
    </p>
  );
}
