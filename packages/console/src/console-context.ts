import { createContext } from 'preact';
import { useContext, useLayoutEffect } from 'preact/hooks';
import type { Client } from '@agentapi-proxy/client';
import type { Auth } from './api/auth.ts';
import type { LiveSession } from './api/live-session.ts';
import type { LiveSessions } from './api/live-sessions.ts';
import type { StreamTurns } from './api/stream-turns.ts';
import { titleOf, type Titles } from './api/titles.ts';
import type { FormDrafts } from './components/form-drafts.ts';
import type { LeaveGuard } from './components/leave-guard.ts';
import type { Toasts } from './components/toasts.tsx';
import type { Notifications } from './notifications/notifications.ts';
import type { KeyForm } from './pages/keys/key-form.ts';
import type { StartDraft } from './pages/new-session/start-form.ts';
import type { ProfileDraft } from './pages/profiles/profile-form.ts';
import type { PullRequestForm, PushForm } from './pages/session/changes/github-forms.ts';
import type { ShareForm } from './pages/session/share/share-form.ts';
import type { Preferences } from './preferences.ts';

/** The parts that pages work with; made once by `main.tsx`. */
export interface Console {
  /** The API, with the credentials of the moment. */
  readonly client: Client;
  /** Who is signed in, and what that person may do: `auth.can('session:create')`. */
  readonly auth: Auth;
  /** All sessions, live. */
  readonly sessions: LiveSessions;
  readonly titles: Titles;
  /** When streams of pages may be open. */
  readonly turns: StreamTurns;
  readonly preferences: Preferences;
  readonly notifications: Notifications;
  /** Asks before something unsaved is left behind. */
  readonly leaveGuard: LeaveGuard;
  /** What is written in forms when the key ends. */
  readonly drafts: {
    readonly starts: FormDrafts<StartDraft>;
    readonly profiles: FormDrafts<ProfileDraft>;
    readonly keys: FormDrafts<KeyForm>;
    readonly shares: FormDrafts<ShareForm>;
    readonly pushes: FormDrafts<PushForm>;
    readonly pullRequests: FormDrafts<PullRequestForm>;
  };
  /** Short reports at the edge of the page. */
  readonly toasts: Toasts;
}

/** Provided around the whole application. */
export const ConsoleContext = createContext<Console | null>(null);

/** The parts of the console; for every component. */
export function useConsole(): Console {
  const console = useContext(ConsoleContext);
  if (console === null) throw new Error('A component of the console was rendered outside of it');
  return console;
}

/** Names the page in the title of the window, from the moment on in which it is shown. */
export function usePageTitle(title: string): void {
  const { notifications } = useConsole();
  useLayoutEffect(() => notifications.setTitle(title), [notifications, title]);
}

/** What a session is called; fetches its first message if that is its name. */
export function useSessionTitle(session: LiveSession): string {
  const { titles, auth } = useConsole();
  const first = auth.can('session:access') ? titles.of(session.id).value : null;
  return titleOf(session, first);
}
