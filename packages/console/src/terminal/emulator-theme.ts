import type { ITheme } from '@xterm/xterm';

/** Colours of the emulator, by the names of the custom properties that have them. */
const COLORS: Readonly<Record<string, string>> = {
  background: '--color-bg',
  foreground: '--color-text',
  cursor: '--color-accent-text',
  cursorAccent: '--color-bg',
  selectionBackground: '--color-selection',
  selectionInactiveBackground: '--color-selection',
  black: '--terminal-black',
  red: '--terminal-red',
  green: '--terminal-green',
  yellow: '--terminal-yellow',
  blue: '--terminal-blue',
  magenta: '--terminal-magenta',
  cyan: '--terminal-cyan',
  white: '--terminal-white',
  brightBlack: '--terminal-bright-black',
  brightRed: '--terminal-bright-red',
  brightGreen: '--terminal-bright-green',
  brightYellow: '--terminal-bright-yellow',
  brightBlue: '--terminal-bright-blue',
  brightMagenta: '--terminal-bright-magenta',
  brightCyan: '--terminal-bright-cyan',
  brightWhite: '--terminal-bright-white',
};

/** The colours that hold inside an element right now; the emulator understands no custom properties. */
export function themeOf(element: HTMLElement): ITheme {
  const probe = document.createElement('span');
  probe.hidden = true;
  element.append(probe);
  const style = getComputedStyle(probe);
  const entries = Object.entries(COLORS).map(([name, property]) => {
    probe.style.color = `var(${property})`;
    return [name, style.color] as const;
  });
  probe.remove();
  return Object.fromEntries(entries);
}
