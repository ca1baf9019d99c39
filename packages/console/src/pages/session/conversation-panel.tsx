import { Skeleton } from '../../components/loading.tsx';
import type { SessionPanelProps } from './session-tabs.ts';

/** The conversation of the session. */
export function ConversationPanel({ session }: SessionPanelProps) {
  return <Skeleton key={session.id} />;
}
