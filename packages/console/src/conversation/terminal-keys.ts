/** A key of a terminal, as it is written into it. */
export interface TerminalKey {
  readonly label: string;
  /** For those who cannot see the label. */
  readonly name: string;
  readonly keys: string;
}

const plain = (key: string): TerminalKey => ({ label: key.toUpperCase(), name: `Key ${key}`, keys: key });

/** What terminal agents ask for. Arrows are those of a terminal in its usual mode. */
export const TERMINAL_KEYS: readonly TerminalKey[] = [
  { label: 'Enter', name: 'Enter', keys: '\r' },
  { label: 'Esc', name: 'Esc', keys: '\u001b' },
  { label: '↑', name: 'Arrow up', keys: '\u001b[A' },
  { label: '↓', name: 'Arrow down', keys: '\u001b[B' },
  { label: '←', name: 'Arrow left', keys: '\u001b[D' },
  { label: '→', name: 'Arrow right', keys: '\u001b[C' },
  { label: 'Tab', name: 'Tab', keys: '\t' },
  { label: 'Shift+Tab', name: 'Shift+Tab', keys: '\u001b[Z' },
  { label: 'Space', name: 'Space', keys: ' ' },
  plain('y'),
  plain('n'),
  plain('1'),
  plain('2'),
  plain('3'),
  { label: 'Ctrl+C', name: 'Ctrl+C', keys: '\u0003' },
];
