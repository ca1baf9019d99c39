import type { Message, Session } from '@agentapi-proxy/client';

/**
 * Tells how the answer to a message grows that is about to be sent, until disposed. It only shows what happens: whether
 * the answer is complete, and every failure, is the business of `sendAndWait`.
 *
 * @param onChange - told the message that changed and the answer as far as it is known
 */
export async function followAnswer(
  session: Session,
  content: string,
  signal: AbortSignal,
  onChange: (message: Message, answer: string) => void,
): Promise<AsyncDisposable> {
  const newest = Math.max(-1, ...(await session.messages({ signal })).map(({ id }) => id));
  const end = new AbortController();
  const following = follow(session, content, newest, AbortSignal.any([signal, end.signal]), onChange);
  return {
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await following;
    },
  };
}

async function follow(
  session: Session,
  content: string,
  after: number,
  signal: AbortSignal,
  onChange: (message: Message, answer: string) => void,
): Promise<void> {
  const messages = new Map<number, Message>();
  try {
    for await (const event of session.events({ signal, onSessionEnd: 'return' })) {
      if (event.kind !== 'message_update' || event.message.id <= after) continue;
      messages.set(event.message.id, event.message);
      const answer = answerTo(content, messages.values());
      if (answer !== null) onChange(event.message, answer);
    }
  } catch {
    // The command itself meets the same failure, and tells it.
  }
}

/** What the agent said after the message; `null` while the message itself is not there. */
function answerTo(content: string, messages: Iterable<Message>): string | null {
  const ordered = [...messages].sort((one, other) => one.id - other.id);
  const own = ordered.findLastIndex(
    ({ role, content: text }) => role === 'user' && words(text) === words(content),
  );
  if (own === -1) return null;
  return ordered
    .slice(own + 1)
    .map(({ content: text }) => text)
    .join('\n\n');
}

// Servers trim, and terminals have their own line ends.
function words(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
