/** More than anything takes that we read, and few enough for whatever calls itself once for each level. */
const MOST_LEVELS = 100;

const FAULT = `nested more than ${MOST_LEVELS} levels deep`;

/**
 * What is wrong when arrays and objects of a JSON text lie more than 100 deep in each other, else `null`. To be asked
 * before the text is parsed: that takes longest for a text of brackets alone. Of a text that is no JSON the answer means
 * nothing.
 */
export function nestingFaultOf(text: string): string | null {
  let level = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if (character === '[' || character === '{') {
      level += 1;
      if (level > MOST_LEVELS) return FAULT;
    } else if (character === ']' || character === '}') {
      level -= 1;
    }
  }
  return null;
}
