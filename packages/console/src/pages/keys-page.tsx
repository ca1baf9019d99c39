import { useState } from 'preact/hooks';
import type { ApiKey, IssuedApiKey } from '@agentapi-proxy/client';
import { useLoaded } from '../api/use-loaded.ts';
import { Badge, type Tone } from '../components/badge.tsx';
import { Button, IconButton } from '../components/button.tsx';
import { Check } from '../components/field.tsx';
import { pageAddress } from '../components/form-drafts.ts';
import { Skeleton } from '../components/loading.tsx';
import { EmptyState, ErrorNotice, Notice } from '../components/notice.tsx';
import { RelativeTime } from '../components/relative-time.tsx';
import { Table, type Column } from '../components/table.tsx';
import { useConsole, usePageTitle } from '../console-context.ts';
import { KEYS } from '../texts/administration.ts';
import { CreateKeyDialog } from './keys/create-key-dialog.tsx';
import { IssuedKeyDialog } from './keys/issued-key-dialog.tsx';
import { keyState, type KeyState } from './keys/key-state.ts';
import { RevokeKeyDialog } from './keys/revoke-key-dialog.tsx';
import { RotateKeyDialog } from './keys/rotate-key-dialog.tsx';
import './keys/keys-page.css';

/** The dialog that is open, with what it is about. */
type OpenDialog =
  | { readonly kind: 'create' }
  | { readonly kind: 'rotate' | 'revoke'; readonly key: ApiKey }
  | { readonly kind: 'issued'; readonly issued: IssuedApiKey };

/** API keys: one's own, for admins everybody's. */
export function KeysPage() {
  const { auth, client, drafts } = useConsole();
  usePageTitle(KEYS.page);
  const [withEnded, setWithEnded] = useState(false);
  const [dialog, setDialog] = useState<OpenDialog | null>(() =>
    drafts.keys.has(pageAddress()) ? { kind: 'create' } : null,
  );
  const { value, error, reload } = useLoaded((signal) => client.apiKeys.list({ signal }), [client]);
  const isAsked = auth.me?.authentication === 'on';
  const canCreate = isAsked && auth.can('key:create');
  const now = Date.now();
  // Newest first: that is the one somebody looks for.
  const all = (value ?? []).toReversed();
  const shown = all.filter((key) => withEnded || keyState(key, now) === 'active');
  const issued = (key: IssuedApiKey): void => {
    reload();
    setDialog({ kind: 'issued', issued: key });
  };
  const close = (): void => setDialog(null);
  const create = canCreate && (
    <Button variant="primary" icon="plus" onClick={() => setDialog({ kind: 'create' })}>
      {KEYS.create}
    </Button>
  );
  return (
    <div class="page">
      <header class="page-header">
        <h1>{KEYS.page}</h1>
        {all.length > 0 && create}
      </header>
      {isAsked ? <p class="muted">{KEYS.intro}</p> : <Notice tone="info">{KEYS.authenticationOff}</Notice>}
      {error !== null && <ErrorNotice title={KEYS.loadFailed} error={error} onRetry={reload} />}
      {value === null && error === null && <Skeleton rows={4} />}
      {value !== null && all.length === 0 && (
        <EmptyState icon="key" title={KEYS.emptyTitle} actions={create}>
          {KEYS.emptyText}
        </EmptyState>
      )}
      {all.some((key) => keyState(key, now) !== 'active') && (
        <Check label={KEYS.showEnded} checked={withEnded} onChange={setWithEnded} />
      )}
      {all.length > 0 && shown.length === 0 && <p class="muted">{KEYS.emptyActive}</p>}
      {shown.length > 0 && (
        <Table
          caption={KEYS.list}
          columns={columns({
            now,
            isAdmin: auth.isAdmin,
            canRotate: canCreate,
            canRevoke: auth.can('key:revoke'),
            onRotate: (key) => setDialog({ kind: 'rotate', key }),
            onRevoke: (key) => setDialog({ kind: 'revoke', key }),
          })}
          rows={shown}
          rowKey={({ id }) => id}
        />
      )}
      {dialog?.kind === 'create' && canCreate && <CreateKeyDialog onIssued={issued} onClose={close} />}
      {dialog?.kind === 'rotate' && <RotateKeyDialog apiKey={dialog.key} onIssued={issued} onClose={close} />}
      {dialog?.kind === 'revoke' && (
        <RevokeKeyDialog apiKey={dialog.key} onRevoked={reload} onClose={close} />
      )}
      {dialog?.kind === 'issued' && <IssuedKeyDialog issued={dialog.issued} onClose={close} />}
    </div>
  );
}

const TONES: Readonly<Record<KeyState, Tone>> = { active: 'success', expired: 'neutral', revoked: 'neutral' };

interface ColumnOptions {
  readonly now: number;
  readonly isAdmin: boolean;
  readonly canRotate: boolean;
  readonly canRevoke: boolean;
  readonly onRotate: (key: ApiKey) => void;
  readonly onRevoke: (key: ApiKey) => void;
}

function columns(options: ColumnOptions): readonly Column<ApiKey>[] {
  const { now, isAdmin, canRotate, canRevoke, onRotate, onRevoke } = options;
  const time = (at: string | null) =>
    at === null ? <span class="muted">{KEYS.never}</span> : <RelativeTime at={at} />;
  const holder: Column<ApiKey> = {
    key: 'holder',
    header: KEYS.holder,
    wideOnly: true,
    render: ({ user_id: user }) => <bdi class="keys-name">{user}</bdi>,
  };
  const actions: Column<ApiKey> = {
    key: 'actions',
    header: <span class="visually-hidden">{KEYS.actions}</span>,
    align: 'end',
    render: (key) =>
      keyState(key, now) === 'active' && (
        <span class="keys-actions">
          {canRotate && (
            <IconButton
              icon="refresh"
              size="small"
              label={KEYS.rotate(key.name)}
              onClick={() => onRotate(key)}
            />
          )}
          {canRevoke && (
            <IconButton
              icon="trash"
              size="small"
              label={KEYS.revoke(key.name)}
              onClick={() => onRevoke(key)}
            />
          )}
        </span>
      ),
  };
  return [
    {
      key: 'name',
      header: KEYS.name,
      render: ({ name, hint, user_id: user }) => (
        <div class="keys-name">
          <bdi>
            <strong>{name}</strong>
          </bdi>
          <div class="muted">
            <code>{hint}</code>
            {isAdmin && <bdi class="keys-holder">{user}</bdi>}
          </div>
        </div>
      ),
    },
    ...(isAdmin ? [holder] : []),
    {
      key: 'role',
      header: KEYS.role,
      wideOnly: true,
      render: ({ role, permissions }) => (
        <>
          {role}
          <div class="muted keys-permissions" title={permissions.join('\n')}>
            {permissions.includes('*')
              ? KEYS.everything
              : permissions.length === 0
                ? KEYS.nothing
                : KEYS.permissionsOf(permissions.length)}
          </div>
        </>
      ),
    },
    { key: 'created', header: KEYS.created, wideOnly: true, render: (key) => time(key.created_at) },
    { key: 'used', header: KEYS.lastUsed, wideOnly: true, render: (key) => time(key.last_used_at) },
    {
      key: 'expires',
      header: KEYS.expires,
      render: (key) => {
        const state = keyState(key, now);
        return state === 'active' ? (
          time(key.expires_at)
        ) : (
          <Badge tone={TONES[state]}>{KEYS.states[state]}</Badge>
        );
      },
    },
    ...(canRotate || canRevoke ? [actions] : []),
  ];
}
