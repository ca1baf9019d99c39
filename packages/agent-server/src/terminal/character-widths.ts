import type * as Xterm from '@xterm/headless';

/** As many as the guard for characters without width lets through in a row. */
const MAX_JOINED = 32;

/** How the emulator packs what it knows of a character: joined to the one before, width, and above that what a provider likes. */
const JOINED = 1;
const ONE_COLUMN = 2;
const COUNT_SHIFT = 3;

/**
 * Widths of characters that let a cell grow to 33 of them only: the next one gets a cell of its own. Malformed sequences
 * between marks hide from every guard of the output that all of them end up in one cell, and repeating a cell of some
 * thousand marks (REP) takes more memory than there is.
 */
export class CharacterWidths implements Xterm.IUnicodeVersionProvider {
  readonly version: string;
  readonly #base: Xterm.IUnicodeVersionProvider;

  constructor(base: Xterm.IUnicodeVersionProvider) {
    this.version = `${base.version}-limited`;
    this.#base = base;
  }

  wcwidth(codePoint: number): 0 | 1 | 2 {
    return this.#base.wcwidth(codePoint);
  }

  charProperties(codePoint: number, preceding: number): number {
    const properties = this.#base.charProperties(codePoint, preceding);
    if ((properties & JOINED) === 0) return properties;
    const count = (preceding >> COUNT_SHIFT) + 1;
    return count > MAX_JOINED ? ONE_COLUMN : properties | (count << COUNT_SHIFT);
  }
}

/** Makes a terminal use the tables of an add-on in this way. */
export function useWidths(terminal: Xterm.Terminal, tables: Xterm.ITerminalAddon): void {
  const register = (base: Xterm.IUnicodeVersionProvider): void => {
    const widths = new CharacterWidths(base);
    terminal.unicode.register(widths);
    terminal.unicode.activeVersion = widths.version;
  };
  const unicode: Xterm.IUnicodeHandling = { register, versions: [], activeVersion: '' };
  // The add-on offers its tables to a terminal and to nobody else.
  tables.activate(
    new Proxy(terminal, {
      get: (target, name): unknown => (name === 'unicode' ? unicode : Reflect.get(target, name)),
    }),
  );
}
