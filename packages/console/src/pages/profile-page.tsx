import { Link, useParams } from 'wouter-preact';
import { ApiError } from '@agentapi-proxy/client';
import { useLoaded } from '../api/use-loaded.ts';
import { Loading } from '../components/loading.tsx';
import { EmptyState, ErrorNotice } from '../components/notice.tsx';
import { useConsole, usePageTitle } from '../console-context.ts';
import { PROFILE, PROFILES } from '../texts/profiles.ts';
import { useSearch } from '../use-search.ts';
import { ProfileEditor } from './profiles/profile-editor.tsx';
import { EMPTY_PROFILE, formOfCopy, formOfProfile } from './profiles/profile-form.ts';
import './profiles/profiles.css';

/** A profile, to be looked at or changed. */
export function ProfilePage() {
  const { id = '' } = useParams<{ id?: string }>();
  return (
    <div class="page profile-page">
      <Stored key={id} id={id} isCopy={false} />
    </div>
  );
}

/** A new profile: from nothing, or like the one that the address names. */
export function NewProfilePage() {
  const from = new URLSearchParams(useSearch()).get('from');
  return (
    <div class="page profile-page">
      {from === null || from === '' ? (
        <ProfileEditor stored={null} initial={EMPTY_PROFILE} source={null} title={PROFILE.createTitle} />
      ) : (
        <Stored key={from} id={from} isCopy />
      )}
    </div>
  );
}

function Stored({ id, isCopy }: { readonly id: string; readonly isCopy: boolean }) {
  const { client } = useConsole();
  usePageTitle(PROFILES.page);
  const { value, error, reload } = useLoaded((signal) => client.profiles.get(id, { signal }), [client, id]);
  if (error instanceof ApiError && (error.kind === 'not_found' || error.kind === 'forbidden')) {
    return (
      <EmptyState
        icon="search"
        isPage
        title={PROFILE.missingTitle}
        actions={
          <Link href="/profiles" class="button" data-variant="primary">
            {PROFILE.back}
          </Link>
        }
      >
        {PROFILE.missingText}
      </EmptyState>
    );
  }
  if (error !== null) return <ErrorNotice title={PROFILE.loadFailed} error={error} onRetry={reload} />;
  if (value === null) return <Loading />;
  const { profile } = value;
  return isCopy ? (
    <ProfileEditor stored={null} initial={formOfCopy(profile)} source={profile} title={PROFILE.copyTitle} />
  ) : (
    <ProfileEditor stored={value} initial={formOfProfile(profile)} source={profile} title={profile.name} />
  );
}
