import { useState } from 'preact/hooks';
import { errorText } from '../api/error-text.ts';
import { useConsole } from '../console-context.ts';
import { STATUS } from '../texts/conversation.ts';
import type { QuestionsStore } from './questions-store.ts';
import type { QueueStore } from './queue-store.ts';

/** The way to stop what the agent does. */
export interface Interruption {
  readonly begin: () => void;
  readonly isBusy: boolean;
}

/** Stops the agent; `null` while there is nothing to stop, or for those who may not. */
export function useInterruption(
  { questions, queue }: { readonly questions: QuestionsStore; readonly queue: QueueStore },
  canInterrupt: boolean,
): Interruption | null {
  const { toasts } = useConsole();
  const [isBusy, setBusy] = useState(false);
  const begin = (): void => {
    if (isBusy) return;
    setBusy(true);
    queue
      .untilTyped()
      .then(() => questions.interrupt())
      .catch((error: unknown) => toasts.failure(`${STATUS.interruptFailed} ${errorText(error)}`))
      .finally(() => setBusy(false));
  };
  return canInterrupt ? { begin, isBusy } : null;
}
