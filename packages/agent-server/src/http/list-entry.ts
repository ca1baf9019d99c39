/**
 * Checks that a list of hosts or origins has entries, and none with white space or a comma.
 * @throws {Error} with agentapi's texts (AA-027, AA-031).
 */
export function checkListEntries(entries: readonly string[]): void {
  if (entries.length === 0) throw new Error('the list must not be empty');
  // \s lacks U+0085 and has U+FEFF, which Unicode does not count as white space.
  const spaced = entries.find((entry) => /[^\S\uFEFF]|\u0085/u.test(entry));
  if (spaced !== undefined) {
    throw new Error(`'${spaced}' contains whitespace characters, which are not allowed`);
  }
  const joined = entries.find((entry) => entry.includes(','));
  if (joined !== undefined) throw new Error(`'${joined}' contains comma characters, which are not allowed`);
}
