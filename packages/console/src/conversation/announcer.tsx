import type { ConversationMessage } from '@agentapi-proxy/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CONVERSATION } from '../texts/conversation.ts';
import type { ConversationStore } from './conversation-store.ts';

/** An agent that has come to rest for so long is done; its last words come a moment later than that it rests. */
const QUIET_MS = 1_000;
/** The rest is there to be read. */
const SPOKEN_CHARS = 300;

interface AnnouncerProps {
  readonly store: ConversationStore;
  readonly agent: string;
  readonly asks: boolean;
}

/** Up to where everything has been announced. */
interface Spoken {
  readonly id: number;
  readonly text: string;
}

/** Tells those who cannot see what is new: what an agent has said once it rests or asks, never word by word. */
export function Announcer({ store, agent, asks }: AnnouncerProps) {
  const [text, setText] = useState('');
  const spoken = useRef<Spoken | undefined>(undefined);
  const said = store.messages.value;
  const isReady = store.phase.value.kind === 'ready';
  // Whoever is asked must know what it is about.
  const isResting = store.status.value?.status !== 'running' || asks;
  useEffect(() => {
    if (!isReady) return undefined;
    const last = said.findLast(({ role }) => role === 'agent');
    const end = { id: last?.id ?? -1, text: last?.content.trim() ?? '' };
    // What was there when the page was opened is no news.
    const before = (spoken.current ??= end);
    const news = said
      .filter(({ role, id }) => role === 'agent' && id >= before.id)
      .map((message) => newsSince(before, message))
      .filter((text) => text !== '');
    if (!isResting || news.length === 0) return undefined;
    const timer = setTimeout(() => {
      spoken.current = end;
      setText(CONVERSATION.announce(agent, news.map(beginningOf).join('\n')));
    }, QUIET_MS);
    return () => clearTimeout(timer);
  }, [isReady, isResting, said, agent]);
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

/** What has been added to a message, or the whole of one that is new or that has been written anew; else nothing. */
function newsSince(spoken: Spoken, { id, content }: ConversationMessage): string {
  const text = content.trim();
  return id === spoken.id && text.startsWith(spoken.text) ? text.slice(spoken.text.length).trim() : text;
}

function beginningOf(text: string): string {
  return text.length > SPOKEN_CHARS ? `${text.slice(0, SPOKEN_CHARS)} …` : text;
}
