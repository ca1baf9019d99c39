import { useEffect, useState } from 'preact/hooks';
import { TERMINAL } from '../texts/terminal.ts';
import type { DrawnScreen } from './use-emulator.ts';

interface ScreenTextProps {
  readonly screen: DrawnScreen;
  /** Reads the row of the cursor aloud whenever it changes. */
  readonly isAnnounced: boolean;
}

/** Screens are drawn many times a second, and read far slower. */
const STEP_MS = 500;

/** A screen as text: to be read aloud, enlarged, or selected by other means than a mouse. */
export function ScreenText({ screen, isAnnounced }: ScreenTextProps) {
  const { emulator, changes, layout } = screen;
  const [text, setText] = useState(() => emulator.text());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = changes.subscribe(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setText(emulator.text());
      }, STEP_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [emulator, changes]);
  useEffect(() => layout.updateSoon(), [layout, text]);
  return (
    <>
      <pre class="terminal-text" aria-label={TERMINAL.screen} role="group" dir="ltr">
        {text.screen}
      </pre>
      {isAnnounced && (
        <span class="visually-hidden" role="status">
          {text.cursorRow}
        </span>
      )}
    </>
  );
}
