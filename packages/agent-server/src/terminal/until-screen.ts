import type { TerminalView } from './agent-terminal.ts';
import type { ScreenImage } from './screen.ts';

/**
 * Waits for a screen: resolves with `true` as soon as `fits` holds for what the terminal shows, with `false`
 * after `limitMs`. Rejects with the signal's reason when that aborts.
 */
export async function untilScreen(
  terminal: TerminalView,
  fits: (screen: ScreenImage) => boolean,
  limitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted();
  if (fits(terminal.read())) return true;
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      unsubscribe();
      signal.removeEventListener('abort', aborted);
    };
    const aborted = (): void => {
      finish();
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    const timer = setTimeout(() => {
      finish();
      resolve(false);
    }, limitMs);
    const unsubscribe = terminal.onOutput(() => {
      if (!fits(terminal.read())) return;
      finish();
      resolve(true);
    });
    signal.addEventListener('abort', aborted);
  });
}
