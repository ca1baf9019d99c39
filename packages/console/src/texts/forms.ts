const line = (position: number, name: string): string => (name.trim() === '' ? `${position}` : name);

/** Lines of names and values. */
export const PAIRS = {
  name: 'Name',
  value: 'Value',
  remove: 'Remove',
  reveal: (position: number, name: string) => `Show the value of ${line(position, name)}`,
  kept: 'Has a value that is not shown',
  replace: 'Replace',
  pasteHint: 'Lines such as NAME=value can be pasted into any field.',
  noName: 'A name is missing.',
  twice: 'This name is there twice.',
  pasted: (count: number) => (count === 1 ? '1 line was added.' : `${count} lines were added.`),
  removed: (name: string) => (name.trim() === '' ? 'The line was removed.' : `${name} was removed.`),
} as const;

/** Variables of an agent's environment. */
export const ENVIRONMENT = {
  legend: 'Environment variables',
  add: 'Add a variable',
  nameOf: (position: number) => `Name of variable ${position}`,
  valueOf: (position: number, name: string) => `Value of variable ${line(position, name)}`,
  removeOf: (position: number, name: string) => `Remove variable ${line(position, name)}`,
} as const;

/** Tags of a session. */
export const TAGS = {
  legend: 'Tags',
  add: 'Add a tag',
  nameOf: (position: number) => `Name of tag ${position}`,
  valueOf: (position: number, name: string) => `Value of tag ${line(position, name)}`,
  removeOf: (position: number, name: string) => `Remove tag ${line(position, name)}`,
} as const;

/** Arguments of an agent's program. */
export const AGENT_ARGUMENTS = {
  label: 'Arguments for the agent',
  hint: 'One a line, after those that the agent has already.',
} as const;

/** Changes that are not saved. */
export const UNSAVED = {
  title: 'Leave without saving?',
  text: 'What you have changed on this page is lost when you leave.',
  stay: 'Stay here',
  leave: 'Leave and lose the changes',
} as const;
