import { ApiError, type QueuedMessage } from '@agentapi-proxy/client';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { errorText } from '../api/error-text.ts';
import { Button, IconButton } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { useConsole } from '../console-context.ts';
import { isComposing } from '../is-composing.ts';
import { COMMON } from '../texts/common.ts';
import { QUEUE } from '../texts/conversation.ts';
import type { QueueStore } from './queue-store.ts';
import { QueueText } from './queue-text.tsx';

interface WaitingMessageProps {
  readonly message: QueuedMessage;
  readonly queue: QueueStore;
  readonly canWrite: boolean;
  /** What somebody is making of it; `null` while nobody does. */
  readonly edited: string | null;
  readonly onEdit: (text: string | null) => void;
}

/** A message that waits for the agent, and can be changed or taken back for so long. */
export function WaitingMessage({ message, queue, canWrite, edited, onEdit }: WaitingMessageProps) {
  const { toasts } = useConsole();
  const item = useFocusOnEdit(edited !== null);
  const isPending = message.state === 'pending';
  const cancel = (): void => {
    queue.cancel(message.id).catch((error: unknown) => {
      const isGone = error instanceof ApiError && error.kind === 'conflict';
      toasts.failure(isGone ? QUEUE.gone : `${QUEUE.cancelFailed} ${errorText(error)}`);
    });
  };
  const save = (): void => {
    if (edited === null || edited.trim() === '') return;
    queue.edit(message.id, edited).then(
      () => onEdit(null),
      // What was typed stays in the field.
      (error: unknown) => toasts.failure(errorText(error)),
    );
  };
  if (edited !== null) {
    return (
      <li ref={item} class="queue-item" data-state="editing">
        <textarea
          class="input"
          dir="auto"
          rows={3}
          aria-label={QUEUE.editLabel}
          value={edited}
          onInput={(event) => onEdit(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (isComposing(event)) return;
            if (event.key === 'Escape') onEdit(null);
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save();
          }}
        />
        <Button size="small" onClick={() => onEdit(null)}>
          {COMMON.cancel}
        </Button>
        <Button size="small" variant="primary" disabled={edited.trim() === ''} onClick={save}>
          {QUEUE.save}
        </Button>
      </li>
    );
  }
  return (
    <li ref={item} class="queue-item" data-state={message.state}>
      {isPending ? <Icon name="clock" /> : <span class="spinner" />}
      <QueueText state={isPending ? QUEUE.pending : QUEUE.sending} text={message.content} />
      {isPending && canWrite && (
        <>
          <IconButton icon="edit" size="small" label={QUEUE.edit} onClick={() => onEdit(message.content)} />
          <IconButton icon="x" size="small" label={QUEUE.cancel} onClick={cancel} />
        </>
      )}
    </li>
  );
}

/** Gives the focus to the field when it opens, and back to the button when it closes; never in between. */
function useFocusOnEdit(isEdited: boolean) {
  const item = useRef<HTMLLIElement>(null);
  const wasEdited = useRef(false);
  useLayoutEffect(() => {
    if (isEdited !== wasEdited.current)
      item.current?.querySelector(isEdited ? 'textarea' : 'button')?.focus();
    wasEdited.current = isEdited;
  }, [isEdited]);
  return item;
}
