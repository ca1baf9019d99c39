import type { QueuedMessage } from '@agentapi-proxy/client';
import { useState } from 'preact/hooks';
import { errorText } from '../api/error-text.ts';
import { Button, IconButton } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { useConsole } from '../console-context.ts';
import { COMMON } from '../texts/common.ts';
import { QUEUE } from '../texts/conversation.ts';
import type { QueueStore } from './queue-store.ts';

interface QueueViewProps {
  readonly queue: QueueStore;
  readonly canWrite: boolean;
  /** Puts a text back to where messages are written; `null` where there is no such place. */
  readonly onReturn: ((text: string) => void) | null;
}

/** Messages that are not in the conversation yet: on their way, waiting for the agent, or stuck. */
export function QueueView({ queue, canWrite, onReturn }: QueueViewProps) {
  const waiting = queue.waiting.value;
  const failed = queue.failed.value;
  const unsent = queue.unsent.value;
  if (waiting.length + failed.length + unsent.length === 0) return null;
  return (
    <ul class="queue" role="list" aria-label={QUEUE.list}>
      {failed.map((message) => (
        <li key={message.id} class="queue-item" data-state="failed">
          <Icon name="alert" />
          <QueueText state={QUEUE.failed} text={message.content} reason={message.reason ?? undefined} />
          {canWrite && (
            <IconButton
              icon="refresh"
              size="small"
              label={QUEUE.retry}
              onClick={() => void queue.resend(message)}
            />
          )}
          {onReturn !== null && (
            <IconButton
              icon="edit"
              size="small"
              label={QUEUE.toDraft}
              onClick={() => {
                queue.dismiss(message);
                onReturn(message.content);
              }}
            />
          )}
          <IconButton icon="x" size="small" label={QUEUE.dismiss} onClick={() => queue.dismiss(message)} />
        </li>
      ))}
      {waiting.map((message) => (
        <WaitingMessage key={message.id} message={message} queue={queue} canWrite={canWrite} />
      ))}
      {unsent.map(({ key, content, error }) => (
        <li key={key} class="queue-item" data-state={error === undefined ? 'posting' : 'failed'}>
          {error === undefined ? <span class="spinner" /> : <Icon name="alert" />}
          <QueueText
            state={error === undefined ? QUEUE.posting : QUEUE.unsent}
            text={content}
            reason={error === undefined ? undefined : errorText(error)}
          />
          {error !== undefined && (
            <>
              <IconButton
                icon="refresh"
                size="small"
                label={QUEUE.retry}
                onClick={() => void queue.retry(key)}
              />
              {onReturn !== null && (
                <IconButton
                  icon="edit"
                  size="small"
                  label={QUEUE.toDraft}
                  onClick={() => onReturn(queue.withdraw(key))}
                />
              )}
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

interface WaitingMessageProps {
  readonly message: QueuedMessage;
  readonly queue: QueueStore;
  readonly canWrite: boolean;
}

function WaitingMessage({ message, queue, canWrite }: WaitingMessageProps) {
  const { toasts } = useConsole();
  const [edited, setEdited] = useState<string | null>(null);
  const isPending = message.state === 'pending';
  const change = (work: Promise<void>): void => {
    work.catch((error: unknown) => toasts.failure(`${QUEUE.gone} ${errorText(error)}`));
  };
  const save = (): void => {
    if (edited === null || edited.trim() === '') return;
    queue.edit(message.id, edited).then(
      () => setEdited(null),
      // What was typed stays in the field.
      (error: unknown) => toasts.failure(errorText(error)),
    );
  };
  if (edited !== null) {
    return (
      <li class="queue-item" data-state="editing">
        <textarea
          class="input"
          dir="auto"
          rows={3}
          aria-label={QUEUE.editLabel}
          value={edited}
          ref={(area) => {
            if (area !== null && document.activeElement !== area) area.focus();
          }}
          onInput={(event) => setEdited(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setEdited(null);
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save();
          }}
        />
        <Button size="small" onClick={() => setEdited(null)}>
          {COMMON.cancel}
        </Button>
        <Button size="small" variant="primary" disabled={edited.trim() === ''} onClick={save}>
          {QUEUE.save}
        </Button>
      </li>
    );
  }
  return (
    <li class="queue-item" data-state={message.state}>
      {isPending ? <Icon name="clock" /> : <span class="spinner" />}
      <QueueText state={isPending ? QUEUE.pending : QUEUE.sending} text={message.content} />
      {isPending && canWrite && (
        <>
          <IconButton
            icon="edit"
            size="small"
            label={QUEUE.edit}
            onClick={() => setEdited(message.content)}
          />
          <IconButton
            icon="x"
            size="small"
            label={QUEUE.cancel}
            onClick={() => change(queue.cancel(message.id))}
          />
        </>
      )}
    </li>
  );
}

interface QueueTextProps {
  readonly state: string;
  readonly text: string;
  readonly reason?: string | undefined;
}

function QueueText({ state, text, reason }: QueueTextProps) {
  return (
    <div class="queue-text">
      <span class="queue-state">{state}</span>
      <bdi class="truncate" title={text}>
        {text}
      </bdi>
      {reason !== undefined && (
        <span class="queue-reason" role="alert" dir="auto">
          {reason}
        </span>
      )}
    </div>
  );
}
