import { useEffect, useRef, useState } from 'preact/hooks';
import { CONVERSATION } from '../texts/conversation.ts';
import type { ConversationStore } from './conversation-store.ts';

/** A message that has not changed for so long is complete, or makes a pause long enough to be read out. */
const QUIET_MS = 1_500;
/** The rest is there to be read. */
const SPOKEN_CHARS = 300;

interface AnnouncerProps {
  readonly store: ConversationStore;
  readonly agent: string;
  readonly asks: boolean;
}

/** Tells those who cannot see what is new: each message once it is complete, never word by word. */
export function Announcer({ store, agent, asks }: AnnouncerProps) {
  const [text, setText] = useState('');
  const spoken = useRef<number | undefined>(undefined);
  const last = store.messages.value.findLast(({ role }) => role === 'agent');
  const isReady = store.phase.value.kind === 'ready';
  useEffect(() => {
    if (!isReady) return undefined;
    // What was there when the page was opened is no news.
    spoken.current ??= last?.id ?? -1;
    if (last === undefined || last.id <= spoken.current) return undefined;
    const timer = setTimeout(() => {
      spoken.current = last.id;
      const content = last.content.trim();
      const beginning = content.length > SPOKEN_CHARS ? `${content.slice(0, SPOKEN_CHARS)} …` : content;
      setText(CONVERSATION.announce(agent, beginning));
    }, QUIET_MS);
    return () => clearTimeout(timer);
  }, [isReady, last, agent]);
  return (
    <>
      <div class="visually-hidden" aria-live="polite" aria-atomic="true" data-announcer>
        {text}
      </div>
      <div class="visually-hidden" aria-live="assertive">
        {asks ? CONVERSATION.announceQuestion : ''}
      </div>
    </>
  );
}
