import { Link, useLocation } from 'wouter-preact';
import { StatusDot } from '../components/badge.tsx';
import { Icon } from '../components/icon.tsx';
import { isLive, type LiveSession } from '../api/live-session.ts';
import { useConsole, useSessionTitle } from '../console-context.ts';
import { ROUTES } from '../routes.ts';
import { COMMON } from '../texts/common.ts';
import { PHASES, SESSIONS } from '../texts/sessions.ts';
import { AccountMenu } from './account-menu.tsx';
import { Brand } from './brand.tsx';

/** More do not fit on a screen; the page of all sessions has them. */
const MAX_SESSIONS = 40;

/** Where one can go: the pages, and the own sessions that are at work. */
export function Sidebar() {
  const { auth, sessions } = useConsole();
  const [location] = useLocation();
  const waiting = [...sessions.list.value.values()].filter(
    ({ phase, ownerId }) => phase === 'waiting' && ownerId === auth.me?.user_id,
  );
  const entries = ROUTES.filter(({ permission, adminOnly, navigation }) => {
    if (navigation === undefined || auth.me?.session_id !== undefined) return false;
    return (permission === undefined || auth.can(permission)) && (adminOnly !== true || auth.isAdmin);
  });
  return (
    <header class="sidebar">
      <Brand />
      {auth.can('session:create') && auth.me?.session_id === undefined && (
        <Link href="/sessions/new" class="button sidebar-create" data-variant="secondary">
          <Icon name="plus" />
          {SESSIONS.create}
        </Link>
      )}
      <nav class="navigation" aria-label={COMMON.navigation}>
        {entries.map(({ path, navigation }) => {
          const href = path.replace(/\/[:*].*$/, '');
          const isHere = location === href || location.startsWith(`${href}/`);
          return (
            <Link
              key={path}
              href={href}
              class="navigation-link"
              {...(isHere ? { 'aria-current': location === href ? 'page' : 'true' } : {})}
            >
              {navigation !== undefined && <Icon name={navigation.icon} />}
              {navigation?.label}
              {path === '/sessions' && waiting.length > 0 && (
                <span class="navigation-count badge" data-tone="warning">
                  {waiting.length}
                  <span class="visually-hidden"> {PHASES.waiting}</span>
                </span>
              )}
            </Link>
          );
        })}
      </nav>
      <SidebarSessions location={location} />
      <div class="sidebar-footer">
        <AccountMenu />
      </div>
    </header>
  );
}

function SidebarSessions({ location }: { readonly location: string }) {
  const { auth, sessions } = useConsole();
  const own = [...sessions.list.value.values()]
    .filter(({ phase, ownerId }) => isLive(phase) && ownerId === auth.me?.user_id)
    // In the order of their start: rows that jump about cannot be clicked.
    .sort((a, b) => b.createdAt - a.createdAt)
    .slice(0, MAX_SESSIONS);
  if (own.length === 0) return <div class="sidebar-sessions" />;
  return (
    <nav class="sidebar-sessions" aria-label={SESSIONS.sidebar}>
      <h2>{SESSIONS.sidebar}</h2>
      {own.map((session) => (
        <SidebarSession
          key={session.id}
          session={session}
          isHere={location.startsWith(`/sessions/${session.id}`)}
        />
      ))}
    </nav>
  );
}

function SidebarSession({ session, isHere }: { readonly session: LiveSession; readonly isHere: boolean }) {
  const title = useSessionTitle(session);
  return (
    <Link
      href={`/sessions/${session.id}`}
      class="sidebar-session"
      title={`${title} – ${PHASES[session.phase]}`}
      {...(isHere ? { 'aria-current': 'true' } : {})}
    >
      <StatusDot phase={session.phase} />
      <bdi class="truncate">{title}</bdi>
      <span class="visually-hidden">{PHASES[session.phase]}</span>
    </Link>
  );
}
