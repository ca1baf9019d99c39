import { useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import type { Profile } from '@agentapi-proxy/client';
import { errorText } from '../api/error-text.ts';
import { useLoaded } from '../api/use-loaded.ts';
import { Badge } from '../components/badge.tsx';
import { Button } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { Skeleton } from '../components/loading.tsx';
import { Menu, type MenuItem } from '../components/menu.tsx';
import { EmptyState, ErrorNotice } from '../components/notice.tsx';
import { RelativeTime } from '../components/relative-time.tsx';
import { useConsole, usePageTitle } from '../console-context.ts';
import { PROFILES } from '../texts/profiles.ts';
import { useSearch } from '../use-search.ts';
import { DeleteDialog } from './profiles/delete-dialog.tsx';
import './profiles/profiles.css';

/** With fewer, everything is seen at once. */
const SEARCH_FROM = 8;

/** What sessions can be started from. */
export function ProfilesPage() {
  const { auth, client } = useConsole();
  usePageTitle(PROFILES.page);
  const { value, error, reload } = useLoaded((signal) => client.profiles.list({ signal }), [client]);
  const canCreate = auth.can('profile:create');
  return (
    <div class="page profiles-page">
      <header class="page-header">
        <h1>{PROFILES.page}</h1>
        {canCreate && (
          <Link href="/profiles/new" class="button" data-variant="primary">
            <Icon name="plus" />
            {PROFILES.create}
          </Link>
        )}
      </header>
      {error !== null && <ErrorNotice title={PROFILES.loadFailed} error={error} onRetry={reload} />}
      {value === null && error === null && <Skeleton />}
      {value !== null && value.length === 0 && (
        <EmptyState
          icon="bookmark"
          title={PROFILES.emptyTitle}
          actions={
            canCreate && (
              <Link href="/profiles/new" class="button" data-variant="primary">
                <Icon name="plus" />
                {PROFILES.create}
              </Link>
            )
          }
        >
          {PROFILES.emptyText} {!canCreate && PROFILES.emptyReadonly}
        </EmptyState>
      )}
      {value !== null && value.length > 0 && <ProfileList profiles={value} onChanged={reload} />}
    </div>
  );
}

interface ProfileListProps {
  readonly profiles: readonly Profile[];
  readonly onChanged: () => void;
}

function ProfileList({ profiles, onChanged }: ProfileListProps) {
  const search = new URLSearchParams(useSearch()).get('q') ?? '';
  const [path, navigate] = useLocation();
  const [deleted, setDeleted] = useState<Profile | null>(null);
  const wanted = search.trim().toLowerCase();
  const found = profiles.filter((profile) => searched(profile).includes(wanted));
  const look = (text: string): void =>
    navigate(text === '' ? path : `${path}?${new URLSearchParams({ q: text }).toString()}`, {
      replace: true,
    });
  return (
    <>
      {profiles.length >= SEARCH_FROM && (
        <input
          class="input"
          type="search"
          aria-label={PROFILES.search}
          placeholder={PROFILES.search}
          value={search}
          onInput={(event) => look(event.currentTarget.value)}
        />
      )}
      {found.length === 0 && (
        <EmptyState
          icon="search"
          title={PROFILES.noMatchTitle}
          actions={<Button onClick={() => look('')}>{PROFILES.clearSearch}</Button>}
        >
          {PROFILES.noMatchText}
        </EmptyState>
      )}
      <ul class="profile-list" role="list">
        {found.map((profile) => (
          <ProfileRow
            key={profile.id}
            profile={profile}
            onChanged={onChanged}
            onDelete={() => setDeleted(profile)}
          />
        ))}
      </ul>
      {deleted !== null && (
        <DeleteDialog profile={deleted} onClose={() => setDeleted(null)} onDeleted={onChanged} />
      )}
    </>
  );
}

interface ProfileRowProps {
  readonly profile: Profile;
  readonly onChanged: () => void;
  readonly onDelete: () => void;
}

function ProfileRow({ profile, onChanged, onDelete }: ProfileRowProps) {
  const { auth, client, toasts } = useConsole();
  const [, navigate] = useLocation();
  const { id, name, is_default: isDefault = false } = profile;
  const canUpdate = auth.can('profile:update');
  const setDefault = async (): Promise<void> => {
    try {
      await client.profiles.update(id, { is_default: !isDefault });
      toasts.success(isDefault ? PROFILES.noDefaultNow(name) : PROFILES.isDefaultNow(name));
      onChanged();
    } catch (error) {
      toasts.failure(`${PROFILES.changeFailed(name)} ${errorText(error)}`);
    }
  };
  const first: MenuItem[] = [
    {
      label: canUpdate ? PROFILES.edit : PROFILES.open,
      icon: canUpdate ? 'edit' : 'eye',
      onSelect: () => navigate(`/profiles/${id}`),
    },
  ];
  if (auth.can('profile:create')) {
    first.push({
      label: PROFILES.duplicate,
      icon: 'copy',
      onSelect: () => navigate(`/profiles/new?from=${id}`),
    });
  }
  if (canUpdate) {
    first.push({
      label: isDefault ? PROFILES.unsetDefault : PROFILES.setDefault,
      icon: 'bookmark',
      onSelect: () => void setDefault(),
    });
  }
  const last: MenuItem[] = auth.can('profile:delete')
    ? [{ label: PROFILES.delete, icon: 'trash', tone: 'danger', onSelect: onDelete }]
    : [];
  return (
    <li class="profile-row">
      <div class="profile-text">
        <h2>
          {auth.can('profile:read') ? (
            <Link href={`/profiles/${id}`}>
              <bdi>{name}</bdi>
            </Link>
          ) : (
            <bdi>{name}</bdi>
          )}{' '}
          {isDefault && <Badge tone="info">{PROFILES.defaultBadge}</Badge>}
        </h2>
        {profile.description !== undefined && (
          <p class="profile-description">
            <bdi>{profile.description}</bdi>
          </p>
        )}
        <Facts profile={profile} />
      </div>
      <div class="profile-actions">
        {auth.can('session:create') && (
          <Link
            href={`/sessions/new?profile=${id}`}
            class="button"
            data-variant="secondary"
            data-size="small"
            aria-label={PROFILES.startFrom(name)}
          >
            <Icon name="play" />
            {PROFILES.start}
          </Link>
        )}
        <Menu
          label={PROFILES.more(name)}
          trigger={<Icon name="more" />}
          iconOnly
          size="small"
          align="end"
          groups={[first, last]}
        />
      </div>
    </li>
  );
}

function Facts({ profile }: { readonly profile: Profile }) {
  const { auth } = useConsole();
  const { environment, environment_names: names, user_id: owner } = profile;
  const variables = names?.length ?? Object.keys(environment ?? {}).length;
  const templates = profile.message_templates.length;
  const facts = [
    owner === auth.me?.user_id ? [] : [PROFILES.owner(owner)],
    [profile.agent ?? PROFILES.agentDefault],
    profile.repository === undefined ? [] : [profile.repository],
    variables === 0 ? [] : [PROFILES.variables(variables)],
    templates === 0 ? [] : [PROFILES.templates(templates)],
  ].flat();
  return (
    <p class="profile-facts">
      {facts.map((fact) => (
        <bdi key={fact}>{fact}</bdi>
      ))}
      <span>
        {profile.last_used_at === undefined ? (
          PROFILES.neverUsed
        ) : (
          <>
            {PROFILES.used} <RelativeTime at={profile.last_used_at} />
          </>
        )}
      </span>
    </p>
  );
}

function searched({ name, description = '', agent = '', repository = '', user_id: owner }: Profile): string {
  return [name, description, agent, repository, owner].join('\n').toLowerCase();
}
