import { isLive } from '../../api/live-session.ts';
import { useConsole } from '../../console-context.ts';
import { ConversationView } from '../../conversation/conversation-view.tsx';
import type { SessionPanelProps } from './session-tabs.ts';

/** The conversation of the session. */
export function ConversationPanel({ session }: SessionPanelProps) {
  const { auth } = useConsole();
  return (
    <ConversationView
      sessionId={session.id}
      canWrite={auth.canWrite(session)}
      isLive={isLive(session.phase)}
    />
  );
}
