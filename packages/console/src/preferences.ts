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
}

const STORED = 'agentapi-proxy.console.preferences';
const DEFAULTS: PreferenceValues = { theme: 'system', notifications: false, sound: false, shortcuts: true };

/** Choices that stay with the browser. */
export class Preferences {
  readonly #values = signal<PreferenceValues>(read());

  get values(): ReadonlySignal<PreferenceValues> {
    return this.#values;
  }

  /** Changes some choices. */
  set(change: Partial<PreferenceValues>): void {
    this.#values.value = { ...this.#values.value, ...change };
    try {
      localStorage.setItem(STORED, JSON.stringify(this.#values.value));
    } catch {
      // Storage is full, or kept from the page: the choice holds for this page.
    }
    this.applyTheme();
  }

  /** Shows the page in the chosen colours. */
  applyTheme(): void {
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
    };
  } catch {
    return DEFAULTS;
  }
}

function isTheme(value: unknown): value is Theme {
  return value === 'system' || value === 'light' || value === 'dark';
}
