import { TERMINAL, TERMINAL_KEY_NAMES } from '../texts/terminal.ts';
import { keyCode } from './key-codes.ts';

const NO_MODIFIERS = { ctrlKey: false, altKey: false, shiftKey: false, metaKey: false };
const INTERRUPT = { ...NO_MODIFIERS, key: 'c', ctrlKey: true };
const KEYS = [
  'Escape',
  'Tab',
  'interrupt',
  'ArrowUp',
  'ArrowDown',
  'ArrowLeft',
  'ArrowRight',
  'Backspace',
  'Enter',
] as const satisfies readonly (keyof typeof TERMINAL_KEY_NAMES)[];

interface KeyRowProps {
  readonly isDisabled: boolean;
  readonly applicationCursor: () => boolean;
  readonly onKeys: (keys: string) => void;
}

/** The keys of terminals that the keyboards of telephones do not have. */
export function KeyRow({ isDisabled, applicationCursor, onKeys }: KeyRowProps) {
  return (
    <div class="terminal-keys" role="group" aria-label={TERMINAL.keyRow}>
      {KEYS.map((key) => (
        <button
          key={key}
          type="button"
          class="button"
          data-variant="secondary"
          data-size="small"
          aria-label={TERMINAL_KEY_NAMES[key].name}
          disabled={isDisabled}
          // The keyboard on the screen stays open: it goes with the focus.
          onPointerDown={(event) => event.preventDefault()}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => {
            const press = key === 'interrupt' ? INTERRUPT : { ...NO_MODIFIERS, key };
            onKeys(keyCode(press, applicationCursor()) ?? '');
          }}
        >
          {TERMINAL_KEY_NAMES[key].label}
        </button>
      ))}
    </div>
  );
}
