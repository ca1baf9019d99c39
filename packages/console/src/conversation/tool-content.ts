/** What a tool call shows. */
export type ToolContent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'change'; readonly path: string; readonly before: string; readonly after: string };

/** Longer texts are cut: a tool may have read a file of any size. */
const MAX_CHARS = 20_000;

/** Reads the content of a tool call in the protocol's spelling; what is neither text nor a change is left out. */
export function toolContentOf(content: readonly unknown[]): readonly ToolContent[] {
  return content.flatMap((entry): readonly ToolContent[] => {
    if (!isRecord(entry)) return [];
    if (entry['type'] === 'content' && isRecord(entry['content'])) {
      const { text } = entry['content'];
      return typeof text === 'string' && text !== '' ? [{ kind: 'text', text: cut(text) }] : [];
    }
    if (entry['type'] !== 'diff' || typeof entry['path'] !== 'string') return [];
    const { path, oldText, newText } = entry;
    const before = typeof oldText === 'string' ? cut(oldText) : '';
    return [{ kind: 'change', path, before, after: typeof newText === 'string' ? cut(newText) : '' }];
  });
}

/** What a tool was given or gave back, for people; `undefined` for nothing. */
export function rawText(raw: unknown): string | undefined {
  if (raw === undefined || raw === null) return undefined;
  if (typeof raw === 'string') return raw === '' ? undefined : cut(raw);
  const text = JSON.stringify(raw, null, 2);
  return text === '{}' || text === '[]' ? undefined : cut(text);
}

function cut(text: string): string {
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}\n…` : text;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
