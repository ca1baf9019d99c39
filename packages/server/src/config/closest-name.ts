/** Number of single-character insertions, removals and replacements between two words. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** The known name that a mistyped one most likely stands for; `null` when none is near. Case and `-`/`_` do not count. */
export function closestName(mistyped: string, known: readonly string[]): string | null {
  const plain = (name: string): string => name.toLowerCase().replaceAll('-', '_');
  // A longer word is no likely typing error, and comparing it would cost its length times every name.
  if (mistyped.length > 64) return null;
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(mistyped.length / 3)) + 1;
  for (const name of known) {
    const found = distance(plain(mistyped), plain(name));
    if (found < bestDistance) [best, bestDistance] = [name, found];
  }
  return best;
}
