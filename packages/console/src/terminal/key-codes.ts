/** What of a `KeyboardEvent` says which key it is. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  readonly metaKey: boolean;
  /** `getModifierState('AltGraph')`: it makes characters, and browsers report it as Control and Alt. */
  readonly altGraph?: boolean;
}

const ESCAPE = '\u001b';
const DELETE = '\u007f';

/** Keys that move: their last letter, as `CSI letter` or, where the program asks for it, `SS3 letter`. */
const CURSOR_KEYS: Readonly<Record<string, string>> = {
  ArrowUp: 'A',
  ArrowDown: 'B',
  ArrowRight: 'C',
  ArrowLeft: 'D',
  Home: 'H',
  End: 'F',
};
/** `SS3 letter`. */
const FUNCTION_KEYS: Readonly<Record<string, string>> = { F1: 'P', F2: 'Q', F3: 'R', F4: 'S' };
/** `CSI number ~`. */
const NUMBERED_KEYS: Readonly<Record<string, number>> = {
  Insert: 2,
  Delete: 3,
  PageUp: 5,
  PageDown: 6,
  F5: 15,
  F6: 17,
  F7: 18,
  F8: 19,
  F9: 20,
  F10: 21,
  F11: 23,
  F12: 24,
};
/** Control with what is not a letter. */
const CONTROLS: Readonly<Record<string, string>> = {
  ' ': '\u0000',
  '@': '\u0000',
  '2': '\u0000',
  '[': '\u001b',
  '3': '\u001b',
  '\\': '\u001c',
  '4': '\u001c',
  ']': '\u001d',
  '5': '\u001d',
  '^': '\u001e',
  '6': '\u001e',
  _: '\u001f',
  '/': '\u001f',
  '7': '\u001f',
  '8': DELETE,
  '?': DELETE,
};

/**
 * What a terminal sends for a key, as xterm does; `null` for keys that send nothing, such as Shift alone.
 *
 * @param applicationCursor - the program has asked for the other form of cursor keys (DECCKM)
 */
export function keyCode(press: KeyPress, applicationCursor: boolean): string | null {
  const { key, ctrlKey, altKey, shiftKey, metaKey } = press;
  // Of the browser and the system.
  if (metaKey) return null;
  const modifier = 1 + (shiftKey ? 1 : 0) + (altKey ? 2 : 0) + (ctrlKey ? 4 : 0);
  const cursorKey = own(CURSOR_KEYS, key);
  if (cursorKey !== undefined) {
    if (modifier > 1) return `${ESCAPE}[1;${modifier}${cursorKey}`;
    return `${ESCAPE}${applicationCursor ? 'O' : '['}${cursorKey}`;
  }
  const functionKey = own(FUNCTION_KEYS, key);
  if (functionKey !== undefined) {
    return modifier > 1 ? `${ESCAPE}[1;${modifier}${functionKey}` : `${ESCAPE}O${functionKey}`;
  }
  const number = own(NUMBERED_KEYS, key);
  if (number !== undefined) return `${ESCAPE}[${number}${modifier > 1 ? `;${modifier}` : ''}~`;
  const alt = altKey ? ESCAPE : '';
  switch (key) {
    case 'Enter':
      // Agents take Escape and Enter as a line break in the message.
      return `${shiftKey || altKey ? ESCAPE : ''}\r`;
    case 'Escape':
      return alt + ESCAPE;
    case 'Tab':
      return shiftKey ? `${ESCAPE}[Z` : `${alt}\t`;
    case 'Backspace':
      return alt + (ctrlKey ? '\b' : DELETE);
    default:
      return characterCode(press);
  }
}

function characterCode({ key, ctrlKey, altKey, altGraph = false }: KeyPress): string | null {
  // Keys with names ("Shift", "Dead", "Process") are no characters; one character may be two units.
  if (!/^.$/su.test(key)) return null;
  if (altGraph) return key;
  const alt = altKey ? ESCAPE : '';
  if (!ctrlKey) return alt + key;
  if (/^[a-z]$/i.test(key)) return alt + String.fromCharCode(key.toUpperCase().charCodeAt(0) & 0x1f);
  const control = own(CONTROLS, key);
  return control === undefined ? null : alt + control;
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
