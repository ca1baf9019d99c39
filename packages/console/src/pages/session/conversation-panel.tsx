import { isLive } from '../../api/live-session.ts';
import { useConsole } from '../../console-context.ts';
import { ConversationView } from '../../conversation/conversation-view.tsx';
import type { SessionPanelProps } from './session-tabs.ts';

/** The conversation of the session. */
export function ConversationPanel({ session }: SessionPanelProps) {
  const { auth } = useConsole();
  // Whoever came with a link looks on.
  const canWrite = auth.can('session:access') && auth.me?.session_id === undefined;
  return <ConversationView sessionId={session.id} canWrite={canWrite} isLive={isLive(session.phase)} />;
}
