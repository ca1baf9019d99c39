import { useRef } from 'preact/hooks';
import { isLive } from '../../api/live-session.ts';
import { EmptyState } from '../../components/notice.tsx';
import { useConsole } from '../../console-context.ts';
import { PlainScreen } from '../../terminal/plain-screen.tsx';
import { TerminalView } from '../../terminal/terminal-view.tsx';
import { TERMINAL } from '../../texts/terminal.ts';
import { DetailsPending } from './details-pending.tsx';
import type { SessionPanelProps } from './session-tabs.ts';

/** The real screen of the agent. */
export function TerminalPanel({ session, details, detailsError, onRetry }: SessionPanelProps) {
  const { auth } = useConsole();
  const isOn = isLive(session.phase);
  // What was on the screen last stays when the session ends.
  const wasOn = useRef(isOn);
  wasOn.current ||= isOn;
  if (!wasOn.current) {
    return (
      <EmptyState icon="terminal" title={TERMINAL.endedTitle}>
        {TERMINAL.endedText}
      </EmptyState>
    );
  }
  if (details === null) {
    return (
      <div class="page">
        <DetailsPending error={detailsError} onRetry={onRetry} />
      </div>
    );
  }
  if (details.agent_server === 'external') return <PlainScreen sessionId={session.id} isLive={isOn} />;
  const agent = !isOn ? 'gone' : session.state === 'running' ? 'running' : 'starting';
  return <TerminalView sessionId={session.id} agent={agent} canWrite={auth.canWrite(session)} />;
}
