import { Unicode11Addon } from '@xterm/addon-unicode11';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { themeOf } from './emulator-theme.ts';
import { strictDocument } from './strict-document.ts';

/** Size of a terminal in cells. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Lengths on the page, in pixels. */
export interface ScreenMetrics {
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** Of the cursor, from 0. */
  readonly cursorColumn: number;
  readonly cursorRow: number;
  /** Rows down to the last one that shows something, or has the cursor. */
  readonly usedRows: number;
}

interface EmulatorOptions {
  readonly fontSize: number;
  /** Called after the screen has changed. */
  readonly onChange: () => void;
  readonly onSelectionChange: (hasSelection: boolean) => void;
}

/** Reports of the mouse would be for the program; here the mouse selects and scrolls. */
const NO_MOUSE_REPORTS = '\u001b[?9;1000;1002;1003l';
/** As text of the page must have (WCAG 1.4.3), whatever colours a program chooses. */
const MINIMUM_CONTRAST = 4.5;

/**
 * Draws the screen of an agent. Shows only: nothing that output makes an emulator answer, and no key or click, comes out
 * of it, so whatever an agent prints sends nothing.
 */
export class Emulator {
  readonly #host: HTMLElement;
  readonly #terminal: Terminal;

  /** @param host - empty; the screen is put into it */
  constructor(host: HTMLElement, options: EmulatorOptions) {
    this.#host = host;
    const terminal = new Terminal({
      // Also keeps back what the emulator itself would answer to the program: the agent server has done so.
      disableStdin: true,
      documentOverride: strictDocument(document),
      // The tables of widths are a "proposed" interface; they are those of the agent server.
      allowProposedApi: true,
      scrollback: 0,
      fontFamily: getComputedStyle(host).fontFamily,
      fontSize: options.fontSize,
      minimumContrastRatio: MINIMUM_CONTRAST,
      drawBoldTextInBrightColors: false,
      cursorInactiveStyle: 'outline',
      theme: themeOf(host),
      logLevel: 'off',
    });
    this.#terminal = terminal;
    terminal.loadAddon(new Unicode11Addon());
    terminal.unicode.activeVersion = '11';
    // Links would lead where the agent likes, behind a text that it likes.
    terminal.parser.registerOscHandler(8, () => true);
    terminal.attachCustomKeyEventHandler(() => false);
    // Without rows above the screen it would make arrow keys of them; the page scrolls instead.
    terminal.attachCustomWheelEventHandler(() => false);
    terminal.open(host);
    terminal.onRender(options.onChange);
    // Nothing is drawn while nobody sees it.
    terminal.onWriteParsed(options.onChange);
    terminal.onResize(options.onChange);
    terminal.onSelectionChange(() => options.onSelectionChange(terminal.hasSelection()));
    // The page has a place of its own to type in.
    if (terminal.textarea !== undefined) terminal.textarea.tabIndex = -1;
    // Once, or no cursor is drawn.
    this.showFocus(true);
    this.showFocus(false);
  }

  get size(): TerminalSize {
    return { columns: this.#terminal.cols, rows: this.#terminal.rows };
  }

  /** Shows another screen instead. Resolves when it is shown. */
  async repaint({ columns, rows }: TerminalSize, data: string): Promise<void> {
    this.#terminal.resize(columns, rows);
    this.#terminal.reset();
    await this.write(data);
  }

  /** Shows output. Resolves when it is shown. */
  async write(data: string): Promise<void> {
    await this.#written(data);
    if (this.#terminal.modes.mouseTrackingMode !== 'none') await this.#written(NO_MOUSE_REPORTS);
  }

  /** Where things are; `null` as long as the page has not measured the letters. */
  metrics(): ScreenMetrics | null {
    const screen = this.#host.querySelector<HTMLElement>('.xterm-screen');
    const { cols, rows, buffer } = this.#terminal;
    const { active } = buffer;
    if (screen === null || screen.offsetWidth === 0) return null;
    return {
      cellWidth: screen.offsetWidth / cols,
      cellHeight: screen.offsetHeight / rows,
      cursorColumn: Math.min(active.cursorX, cols - 1),
      cursorRow: active.cursorY,
      usedRows: this.#usedRows(),
    };
  }

  /** What is on the screen, and in the row of the cursor. */
  text(): { readonly screen: string; readonly cursorRow: string } {
    const rows = Array.from({ length: this.#usedRows() }, (_none, row) => this.#row(row));
    return { screen: rows.join('\n'), cursorRow: this.#row(this.#terminal.buffer.active.cursorY) };
  }

  /** The program wants cursor keys in their other form (DECCKM). */
  get applicationCursor(): boolean {
    return this.#terminal.modes.applicationCursorKeysMode;
  }

  /** The program wants to know what was pasted (DECSET 2004). */
  get bracketedPaste(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  /** The selected text; empty without a selection. */
  get selection(): string {
    return this.#terminal.getSelection();
  }

  clearSelection(): void {
    this.#terminal.clearSelection();
  }

  setFontSize(pixels: number): void {
    this.#terminal.options.fontSize = pixels;
  }

  /** Takes the colours that the page has now. */
  updateTheme(): void {
    this.#terminal.options.theme = themeOf(this.#host);
  }

  /** Draws the cursor as where keys go, or not. */
  showFocus(isFocused: boolean): void {
    // The emulator looks at its own field, which nobody types in.
    this.#terminal.textarea?.dispatchEvent(new FocusEvent(isFocused ? 'focus' : 'blur'));
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  #row(row: number): string {
    const { active } = this.#terminal.buffer;
    return (
      active
        .getLine(active.baseY + row)
        ?.translateToString(true)
        .trimEnd() ?? ''
    );
  }

  #usedRows(): number {
    const { rows, buffer } = this.#terminal;
    let used = rows;
    while (used > buffer.active.cursorY + 1 && this.#row(used - 1) === '') used -= 1;
    return used;
  }

  async #written(data: string): Promise<void> {
    await new Promise<void>((resolve) => this.#terminal.write(data, resolve));
  }
}
