/** Longest name that is taken; file systems and forges end not far beyond. */
const MAX_CHARS = 240;
/** What git itself forbids in names: control characters, blank and its own syntax. */
const FORBIDDEN = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.\/|\.lock(\/|$)/;
const COMMIT = /^[0-9a-f]{7,40}$/;

/** Whether a text can be the name of a branch or tag: git's own rules, and safe as a program argument (DF-48). */
export function isRefName(name: string): boolean {
  if (name === '' || name.length > MAX_CHARS || name === '@' || name === 'HEAD') return false;
  if (/^[-./]|[./]$/.test(name)) return false;
  return !FORBIDDEN.test(name);
}

/** Whether a text can stand for a commit: 7 to 40 hexadecimal digits. */
export function isCommitName(name: string): boolean {
  return COMMIT.test(name);
}
