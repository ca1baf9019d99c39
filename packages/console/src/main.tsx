import { effect } from '@preact/signals';
import { render } from 'preact';
import { navigate } from 'wouter-preact/use-browser-location';
import { Auth } from './api/auth.ts';
import { LiveSessions } from './api/live-sessions.ts';
import { SharedOverview } from './api/shared-overview.ts';
import { browserTabs, groupNameOf } from './api/tab-group.ts';
import { sharesConnection, StreamTurns } from './api/stream-turns.ts';
import { Titles } from './api/titles.ts';
import { seenSignal } from './api/while-seen.ts';
import { App } from './app.tsx';
import { FormDrafts } from './components/form-drafts.ts';
import { LeaveGuard } from './components/leave-guard.ts';
import { Toasts } from './components/toasts.tsx';
import { ConsoleContext, type Console } from './console-context.ts';
import { browserStorage } from './conversation/browser-storage.ts';
import { KeptText } from './conversation/kept-text.ts';
import { Notifications } from './notifications/notifications.ts';
import { Preferences } from './preferences.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/components.css';
import './styles/layout.css';

/** The server writes the address of the console into the page, so it works below any path prefix. */
const base = new URL(document.baseURI);
const basePath = base.pathname.replace(/\/$/, '');

const auth = new Auth(base.href);
const { client } = auth;
const preferences = new Preferences();
const titles = new Titles(client);
const isSeen = seenSignal(document);
const groupName = async (): Promise<string> => {
  const { user_id, role, permissions, key, session_id, server } = auth.me ?? {};
  return await groupNameOf([
    base.href,
    server?.version,
    auth.key,
    user_id,
    role,
    permissions,
    key?.id,
    session_id,
  ]);
};
const tabs = browserTabs();
const sessions = new LiveSessions(new SharedOverview({ client, isSeen, tabs, groupName }));
const locks = sharesConnection(performance) ? null : (tabs?.locks ?? null);
const turns = new StreamTurns({ isSeen, locks, page: document });
const toasts = new Toasts();
const leaveGuard = new LeaveGuard();
const drafts: Console['drafts'] = {
  starts: new FormDrafts(),
  profiles: new FormDrafts(),
  keys: new FormDrafts(),
  shares: new FormDrafts(),
  pushes: new FormDrafts(),
  pullRequests: new FormDrafts(),
};
const notifications = new Notifications({
  sessions,
  titles,
  preferences,
  isOwn: (session) => auth.me?.user_id === session.ownerId,
  open: (id) => navigate(`${basePath}/sessions/${encodeURIComponent(id)}`),
  channel: tabs?.openChannel('agentapi-proxy.console.notifications') ?? null,
});
const parts: Console = {
  client,
  auth,
  sessions,
  titles,
  turns,
  preferences,
  notifications,
  leaveGuard,
  drafts,
  toasts,
};

preferences.start();
notifications.start();
sessions.onMessage((id, { role }) => titles.onMessage(id, role));
// Whoever signs in sees the own sessions, and nothing of the person before.
effect(() => {
  const state = auth.state.value;
  sessions.stop();
  // What was written and not sent stays for those whose key has expired: they come back.
  if (state.kind === 'signed-out' && state.because === 'signed-out') {
    new KeptText(browserStorage()).forgetAll();
    for (const forms of Object.values(drafts)) forms.forgetAll();
  }
  if (state.kind !== 'signed-in') return;
  for (const forms of Object.values(drafts)) forms.belongTo(state.me.user_id);
  titles.clear();
  if (auth.can('session:list')) sessions.start();
});
void auth.check();

const root = document.getElementById('app');
if (root !== null) {
  render(
    <ConsoleContext.Provider value={parts}>
      <App basePath={basePath} />
    </ConsoleContext.Provider>,
    root,
  );
}
