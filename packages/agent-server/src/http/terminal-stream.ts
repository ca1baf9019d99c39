import type { LiveScreen } from '../terminal/agent-terminal.ts';
import { eventFrame, type Subscription } from './sse.ts';

/** Output that waits for a viewer; painting the screen anew is less to send than more of it. */
const MAX_WAITING_CHARACTERS = 262_144;

/**
 * The stream of `GET /internal/terminal` for a viewer that is an emulator itself. `repaint` with `{columns, rows, data}`
 * comes first, after a change of the size, and when the viewer is too slow for all the output: it takes this size,
 * resets itself and writes `data`. `output` with `{data}` is what the program has printed since.
 */
export function terminalStream(screen: LiveScreen): Subscription<'changed'> {
  let waiting = '';
  let isStale = false;
  let isDue = false;
  const frame = (): string => {
    const data = waiting;
    const repaints = isStale;
    waiting = '';
    isStale = false;
    isDue = false;
    return repaints ? eventFrame('repaint', screen.repaint()) : eventFrame('output', { data });
  };
  return {
    snapshot: [eventFrame('repaint', screen.repaint())],
    frame: () => frame,
    subscribe: (listener) =>
      screen.onScreenChange((change) => {
        if (change.kind === 'output') waiting += change.data;
        if (change.kind === 'resized' || waiting.length > MAX_WAITING_CHARACTERS) isStale = true;
        if (isStale) waiting = '';
        if (isDue || (!isStale && waiting === '')) return;
        // One event at a time: however slow the viewer is, it gets all that has gathered by then in one piece.
        isDue = true;
        listener('changed');
      }),
  };
}
