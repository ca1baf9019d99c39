/** Drawn on 24 × 24, lines of 2 units. */
const PATHS = {
  activity: 'M3 12h4l3 8 4-16 3 8h4',
  alert: 'M12 4 2.5 20h19L12 4Zm0 6v4.5m0 2.6v.1',
  bell: 'M6 10a6 6 0 0 1 12 0c0 6 2 7 2 7H4s2-1 2-7Zm4 10.5h4',
  bookmark: 'M6.5 4h11v16.5L12 16.5l-5.5 4z',
  branch: 'M6 4v16M6 20a.1.1 0 1 0 0 .1M18 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm0 0c0 5-12 3-12 8',
  check: 'm4.5 12.5 5 5 10-11',
  chevronDown: 'm6 9 6 6 6-6',
  chevronLeft: 'm15 6-6 6 6 6',
  chevronRight: 'm9 6 6 6-6 6',
  chevronUp: 'm6 15 6-6 6 6',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4.5V12l3 2',
  copy: 'M9 9h10.5v10.5H9zM5.5 15H4.5V4.5H15v1',
  download: 'M12 4v11m-4.5-4.5L12 15l4.5-4.5M4.5 20h15',
  edit: 'M4 20h4L19 9l-4-4L4 16v4Z',
  external: 'M14 4h6v6m0-6-9 9M18 14v5.5H4.5V6H10',
  eye: 'M2.5 12C5 7.5 8 5.5 12 5.5s7 2 9.5 6.5c-2.5 4.5-5.5 6.5-9.5 6.5s-7-2-9.5-6.5Zm9.5 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z',
  eyeOff:
    'M4 4l16 16M9.6 5.8c.8-.2 1.6-.3 2.4-.3 4 0 7 2 9.5 6.5-.8 1.5-1.7 2.7-2.7 3.6M6.3 7.5C4.9 8.5 3.6 10 2.5 12c2.5 4.5 5.5 6.5 9.5 6.5 1.7 0 3.2-.4 4.6-1.1M9.9 9.9a3 3 0 0 0 4.2 4.2',
  file: 'M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5',
  filter: 'M4 6h16M7 12h10m-7 6h4',
  folder: 'M3.5 6h6l2 2.5h9V19h-17z',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 8v5.5m0-9v.1',
  key: 'M8 19.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM11.2 11.8 19.5 3.5M16 7l3 3',
  keyboard: 'M3 6.5h18v11H3zM7 10.5h.1m3.3 0h.1m3.3 0h.1m3.1 0h.1M8 14h8',
  list: 'M8.5 6H20M8.5 12H20M8.5 18H20M4 6h.1M4 12h.1M4 18h.1',
  lock: 'M6 11h12v9.5H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11',
  message: 'M4 5h16v11.5H10L5.5 20.5v-4H4z',
  minus: 'M5 12h14',
  monitor: 'M3.5 4.5h17v12h-17zM9 20.5h6m-3-4v4',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z',
  more: 'M5 12h.1M12 12h.1M19 12h.1',
  paperclip:
    'm19.5 11.5-7.8 7.8a4.6 4.6 0 0 1-6.5-6.5l8.3-8.3a3 3 0 0 1 4.3 4.3l-8.2 8.2a1.5 1.5 0 0 1-2.1-2.1l7.3-7.3',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4.5v15l12-7.5z',
  plus: 'M12 5v14M5 12h14',
  refresh: 'M20 5v5h-5M4 19v-5h5M5.5 9A7.5 7.5 0 0 1 19.6 10M18.5 15A7.5 7.5 0 0 1 4.4 14',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm4.7 11.2L20.5 20.5',
  send: 'M12 20V4.5m-6.5 6.5L12 4.5l6.5 6.5',
  settings: 'M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.5v5M8.5 14.5v5',
  share:
    'M7 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Zm10 6a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Zm0-12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9.2 10.8l5.6-3.6M9.2 13.2l5.6 3.6',
  shield: 'M12 3.5 5 6v5.5c0 4.5 3 7.5 7 9 4-1.5 7-4.5 7-9V6z',
  signOut: 'M14 4.5H5v15h9M10.5 12H20.5m-4-4 4 4-4 4',
  stop: 'M6 6h12v12H6z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-5v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1',
  tag: 'M4 4.5h8l8 8-7.5 7.5-8.5-8.5zM8 8.5h.1',
  terminal: 'M4 5h16v14H4zM7.5 9.5 10 12l-2.5 2.5M12.5 15H16',
  trash: 'M4.5 6.5h15M9 6.5V4h6v2.5M6.5 6.5l1 14h9l1-14',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7.5 8.5c.5-4 3.5-6 7.5-6s7 2 7.5 6',
  users:
    'M9 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6.5 7.5c.5-3.5 3-5 6.5-5s6 1.5 6.5 5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.5 14.8c2.3.5 3.7 2 4 4.7',
  x: 'm6 6 12 12M18 6 6 18',
} as const;

/** A drawing of the console. */
export type IconName = keyof typeof PATHS;

/** A drawing beside a text, or in a button with a label; nothing is said of it to those who cannot see. */
export function Icon({ name }: { readonly name: IconName }) {
  const isBold = name === 'more' || name === 'list';
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={isBold ? 2.8 : 2}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
