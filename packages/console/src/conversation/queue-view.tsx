import { useLayoutEffect, useState } from 'preact/hooks';
import { errorText } from '../api/error-text.ts';
import { IconButton } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { useConsole } from '../console-context.ts';
import { QUEUE } from '../texts/conversation.ts';
import type { QueueStore } from './queue-store.ts';
import { QueueText } from './queue-text.tsx';
import { WaitingMessage } from './waiting-message.tsx';

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
  const [edit, setEdit] = useEdit(queue, onReturn);
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
        <WaitingMessage
          key={message.id}
          message={message}
          queue={queue}
          canWrite={canWrite}
          edited={edit?.id === message.id ? edit.text : null}
          onEdit={(text) => setEdit(text === null ? null : { id: message.id, text, before: message.content })}
        />
      ))}
      {unsent.map(({ key, content, error, isSending }) => (
        <li key={key} class="queue-item" data-state={error === undefined ? 'posting' : 'failed'}>
          {error === undefined || isSending ? <span class="spinner" /> : <Icon name="alert" />}
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

/** What somebody makes of a waiting message. */
interface Edit {
  readonly id: string;
  readonly text: string;
  /** What it says without that. */
  readonly before: string;
}

/** The one edit that is open. When its message goes off meanwhile, what was typed goes back to where messages are written. */
function useEdit(
  queue: QueueStore,
  onReturn: QueueViewProps['onReturn'],
): readonly [Edit | null, (edit: Edit | null) => void] {
  const { toasts } = useConsole();
  const [edit, setEdit] = useState<Edit | null>(null);
  const waiting = queue.waiting.value;
  useLayoutEffect(() => {
    if (edit === null || waiting.some(({ id }) => id === edit.id)) return;
    setEdit(null);
    const isChanged = edit.text.trim() !== '' && edit.text !== edit.before;
    toasts.failure(isChanged ? QUEUE.goneToDraft : QUEUE.gone);
    onReturn?.(isChanged ? edit.text : '');
  }, [waiting, edit]);
  return [edit, setEdit];
}
