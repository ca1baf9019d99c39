import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { NEW_SESSION } from '../../texts/new-session.ts';

interface FoldProps {
  readonly title: string;
  /** How much is filled in; shown when it is folded, too. */
  readonly count: number;
  /** Opens it: something in it has to be mended. */
  readonly isForced: boolean;
  readonly children: ComponentChildren;
}

/** A part of a form that most people need not see. */
export function Fold({ title, count, isForced, children }: FoldProps) {
  const details = useRef<HTMLDetailsElement>(null);
  // What a link has filled in is to be seen.
  const isFilledAtFirst = useRef(count > 0);
  useLayoutEffect(() => {
    if (details.current !== null && (isForced || isFilledAtFirst.current)) details.current.open = true;
  }, [isForced]);
  return (
    <details ref={details} class="fold">
      <summary>
        {title} {count > 0 && <span class="muted">{NEW_SESSION.count(count)}</span>}
      </summary>
      <div class="fold-content">{children}</div>
    </details>
  );
}
