import type { ConversationMessage } from '@agentapi-proxy/client';
import { useMemo, useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { CopyButton } from '../components/copy-button.tsx';
import { CONVERSATION } from '../texts/conversation.ts';
import { partsOf, type TextPart, type TextSource } from './agent-text.ts';
import type { ConversationRow } from './conversation-rows.ts';
import { MarkdownView } from './markdown-view.tsx';
import { TerminalToolView, ToolCallsView } from './tool-view.tsx';

/** Beyond this a message is shown as a whole on request only. */
const SHOWN_CHARS = 60_000;

interface MessageViewProps {
  readonly row: ConversationRow;
  readonly agent: string;
  readonly transport: 'pty' | 'acp' | undefined;
  /** Whether it is in view from the beginning, as far as anybody knows. */
  readonly isEager: boolean;
}

/** One message, and before it what the agent did. */
export function MessageView({ row, agent, transport, isEager }: MessageViewProps) {
  const { message, toolCalls } = row;
  const isUser = message.role === 'user';
  const labelId = `message-${message.id}-by`;
  const source = isUser ? 'user' : transport === 'acp' ? 'acp' : 'terminal';
  return (
    <article class="message" data-role={message.role} data-message-id={message.id} aria-labelledby={labelId}>
      {toolCalls.length > 0 && <ToolCallsView toolCalls={toolCalls} />}
      <div class="message-bubble">
        <header class="message-head">
          <span id={labelId}>
            <span class="message-by">{isUser ? CONVERSATION.you : <bdi>{agent}</bdi>}</span>{' '}
            <MessageTime time={message.time} />
          </span>
          <span class="message-tools">
            <CopyButton text={message.content} label={CONVERSATION.copyMessage} />
          </span>
        </header>
        <MessageText message={message} source={source} hidesTools={toolCalls.length > 0} isEager={isEager} />
      </div>
    </article>
  );
}

function MessageTime({ time }: { readonly time: string }) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return null;
  const isToday = date.toDateString() === new Date().toDateString();
  const short = date.toLocaleString('en', {
    ...(isToday ? {} : { month: 'short', day: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const full = date.toLocaleString('en', { dateStyle: 'medium', timeStyle: 'medium' });
  return (
    <time dateTime={date.toISOString()} title={full}>
      {short}
    </time>
  );
}

function MessageText({
  message,
  source,
  hidesTools,
  isEager,
}: {
  readonly message: ConversationMessage;
  readonly source: TextSource;
  /** Whether more is known of what the agent did than its text says. */
  readonly hidesTools: boolean;
  readonly isEager: boolean;
}) {
  const [showsAll, setShowsAll] = useState(false);
  const { content } = message;
  const isCut = !showsAll && content.length > SHOWN_CHARS;
  const parts = useMemo(
    () => partsOf(isCut ? content.slice(0, SHOWN_CHARS) : content, source),
    [content, isCut, source],
  );
  return (
    <div class="message-text" data-source={source}>
      {parts.map((part, index) =>
        part.kind === 'tool' && hidesTools ? null : (
          // Another source divides the text elsewhere: what is still drawn of the old parts would appear twice.
          <PartView key={`${source}-${index}-${part.kind}`} part={part} isEager={isEager} />
        ),
      )}
      {isCut && (
        <Button size="small" onClick={() => setShowsAll(true)}>
          {CONVERSATION.showAll(content.length.toLocaleString('en'))}
        </Button>
      )}
    </div>
  );
}

function PartView({ part, isEager }: { readonly part: TextPart; readonly isEager: boolean }) {
  switch (part.kind) {
    case 'markdown':
      return <MarkdownView text={part.text} isEager={isEager} />;
    case 'plain':
      return (
        <div class="plain-text" dir="auto">
          {part.text}
        </div>
      );
    case 'drawing':
      return (
        <pre class="drawing" dir="ltr" tabIndex={0} role="group" aria-label={CONVERSATION.code}>
          {part.text}
        </pre>
      );
    case 'tool':
      return <TerminalToolView title={part.title} output={part.output} />;
  }
}
