import type { ComponentType } from 'preact';
import type { SessionDetails } from '@agentapi-proxy/client';
import type { LiveSession } from '../../api/live-session.ts';
import { SESSION } from '../../texts/sessions.ts';

/** What every part of the page of a session gets. */
export interface SessionPanelProps {
  readonly session: LiveSession;
  /** Everything the server tells; `null` for a moment in the beginning. */
  readonly details: SessionDetails | null;
  /** Why that could not be read last; `null` when it could. */
  readonly detailsError: unknown;
  /** Reads the details again. */
  readonly onRetry: () => void;
}

/** A part of the page of a session. */
export interface SessionTab {
  /** Below `/sessions/:id`; empty for the part that is shown first. */
  readonly path: string;
  readonly label: string;
  /** It has a button that interrupts the agent, so that of the page is not needed. */
  readonly hasInterrupt?: true;
  /** Fetches the code of the part when it is shown first. */
  readonly load: () => Promise<ComponentType<SessionPanelProps>>;
}

/** The parts, in the order of their tabs. */
export const SESSION_TABS: readonly SessionTab[] = [
  {
    path: '',
    label: SESSION.tabs.conversation,
    hasInterrupt: true,
    load: async () => (await import('./conversation-panel.tsx')).ConversationPanel,
  },
  {
    path: 'terminal',
    label: SESSION.tabs.terminal,
    load: async () => (await import('./terminal-panel.tsx')).TerminalPanel,
  },
  {
    path: 'changes',
    label: SESSION.tabs.changes,
    load: async () => (await import('./changes-panel.tsx')).ChangesPanel,
  },
  {
    path: 'log',
    label: SESSION.tabs.log,
    load: async () => (await import('./log-panel.tsx')).LogPanel,
  },
  {
    path: 'details',
    label: SESSION.tabs.details,
    load: async () => (await import('./details-panel.tsx')).DetailsPanel,
  },
];
