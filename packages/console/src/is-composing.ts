/** What browsers tell of a key that an input method has taken; the name is historical. */
const TAKEN_BY_INPUT_METHOD = 229;

/**
 * Whether a key belongs to writing a word, in Japanese or Chinese for example: Enter confirms it then, and nothing else.
 * Safari tells of the end of the word before that of the key, which leaves only its code to know it by.
 */
export function isComposing({
  isComposing: isWithin,
  keyCode,
}: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean {
  return isWithin || keyCode === TAKEN_BY_INPUT_METHOD;
}
