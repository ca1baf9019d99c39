interface TagListProps {
  readonly tags: Readonly<Record<string, string>>;
  /** Tags that are shown elsewhere. */
  readonly without?: readonly string[];
  /** Makes tags buttons. */
  readonly onSelect?: (name: string, value: string) => void;
  /** Longest list; a number stands for the rest. */
  readonly max?: number;
}

/** Tags as `name: value`. */
export function TagList({ tags, without = [], onSelect, max = Infinity }: TagListProps) {
  const all = Object.entries(tags).filter(([name]) => !without.includes(name));
  if (all.length === 0) return null;
  const rest = all.slice(max);
  const text = ([name, value]: readonly [string, string]): string =>
    value === '' ? name : `${name}: ${value}`;
  return (
    <span class="tag-list">
      {all.slice(0, max).map((tag) =>
        onSelect === undefined ? (
          <span key={tag[0]} class="tag" title={text(tag)}>
            <bdi class="truncate">{text(tag)}</bdi>
          </span>
        ) : (
          <button key={tag[0]} type="button" class="tag" title={text(tag)} onClick={() => onSelect(...tag)}>
            <bdi class="truncate">{text(tag)}</bdi>
          </button>
        ),
      )}
      {rest.length > 0 && (
        <span class="tag" title={rest.map(text).join('\n')}>
          +{rest.length}
        </span>
      )}
    </span>
  );
}
