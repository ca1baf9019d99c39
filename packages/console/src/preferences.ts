import { signal, type ReadonlySignal } from '@preact/signals';

/** Which colours to show. */
export type Theme = 'system' | 'light' | 'dark';

/** What somebody has chosen for this browser. */
export interface PreferenceValues {
  readonly theme: Theme;
  readonly notifications: boolean;
  readonly sound: boolean;
  /** Whether single keys do something. */
  readonly shortcuts: boolean;
  /** Height of the letters in terminals, in pixels. */
  readonly terminalFontSize: number;
  /** Shows terminals as text, which can be read aloud. */
  readonly terminalText: boolean;
}

/** Letters of terminals, in pixels. */
export const TERMINAL_FONT_SIZES = { min: 9, max: 24, usual: 13 } as const;

const STORED = 'agentapi-proxy.console.preferences';
const DEFAULTS: PreferenceValues = {
  theme: 'system',
  notifications: false,
  sound: false,
  shortcuts: true,
  terminalFontSize: TERMINAL_FONT_SIZES.usual,
  terminalText: false,
};

/** Choices that stay with the browser. */
export class Preferences {
  readonly #values = signal<PreferenceValues>(read());
  #isKept = true;

  get values(): ReadonlySignal<PreferenceValues> {
    return this.#values;
  }

  /** Shows the page in the chosen colours, and follows what is chosen in other tabs, for as long as the page lives. */
  start(): void {
    window.addEventListener('storage', ({ key }) => {
      if (key !== STORED && key !== null) return;
      this.#values.value = read();
      this.#applyTheme();
    });
    this.#applyTheme();
  }

  /** Changes some choices; the others stay as they are, whichever tab they were made in. */
  set(change: Partial<PreferenceValues>): void {
    this.#values.value = { ...(this.#isKept ? read() : this.#values.value), ...change };
    try {
      localStorage.setItem(STORED, JSON.stringify(this.#values.value));
    } catch {
      // Storage is full, or kept from the page: choices hold for this page from now on.
      this.#isKept = false;
    }
    this.#applyTheme();
  }

  #applyTheme(): void {
    const { theme } = this.#values.value;
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }
}

function read(): PreferenceValues {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? '{}');
    if (typeof stored !== 'object' || stored === null) return DEFAULTS;
    return {
      theme: 'theme' in stored && isTheme(stored.theme) ? stored.theme : DEFAULTS.theme,
      notifications: 'notifications' in stored && stored.notifications === true,
      sound: 'sound' in stored && stored.sound === true,
      shortcuts: !('shortcuts' in stored) || stored.shortcuts !== false,
      terminalFontSize:
        'terminalFontSize' in stored ? fontSize(stored.terminalFontSize) : DEFAULTS.terminalFontSize,
      terminalText: 'terminalText' in stored && stored.terminalText === true,
    };
  } catch {
    return DEFAULTS;
  }
}

function isTheme(value: unknown): value is Theme {
  return value === 'system' || value === 'light' || value === 'dark';
}

function fontSize(value: unknown): number {
  const { min, max, usual } = TERMINAL_FONT_SIZES;
  return typeof value === 'number' && value >= min && value <= max ? value : usual;
}
