import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import type { LiveSession } from '../../api/live-session.ts';
import { SESSIONS } from '../../texts/sessions.ts';
import { useMediaQuery } from '../../use-media-query.ts';
import { useShortcuts } from '../../use-shortcuts.ts';
import { SessionRow } from './session-row.tsx';

interface SessionListProps {
  readonly sessions: readonly LiveSession[];
  readonly selected: ReadonlySet<string>;
  readonly canSelect: (session: LiveSession) => boolean;
  readonly showOwner: boolean;
  readonly onSelect: (session: LiveSession, isSelected: boolean, isRange: boolean) => void;
  readonly onTag: (name: string, value: string) => void;
  readonly onSearch: () => void;
  readonly onEscape: () => void;
}

/** Heights of rows in pixels; sessions-page.css draws them so. */
const ROW_PX = { wide: 56, narrow: 88 } as const;
/** Rows beyond both edges, so that fast scrolling shows no gaps. */
const OVERSCAN = 12;

/** The rows of the list: only those near the visible part exist, so it does not matter how many there are. */
export function SessionList(props: SessionListProps) {
  const { sessions, selected, canSelect, showOwner, onSelect, onTag, onSearch, onEscape } = props;
  const [, navigate] = useLocation();
  const isNarrow = useMediaQuery('(max-width: 767px)');
  const rowPx = isNarrow ? ROW_PX.narrow : ROW_PX.wide;
  const list = useRef<HTMLUListElement>(null);
  const [range, setRange] = useState({ first: 0, last: 40 });
  /** The row that keys have moved to; the browser's focus follows. */
  const active = useRef<string | null>(null);
  const wantsFocus = useRef(false);
  const [, draw] = useState(0);

  useLayoutEffect(() => {
    const element = list.current;
    const scroller = element?.closest('.layout-main');
    if (element === null || !(scroller instanceof HTMLElement)) return undefined;
    const measure = (): void => {
      const above = scroller.getBoundingClientRect().top - element.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(above / rowPx) - OVERSCAN);
      const last = Math.ceil((above + scroller.clientHeight) / rowPx) + OVERSCAN;
      setRange((known) => (known.first === first && known.last === last ? known : { first, last }));
    };
    measure();
    scroller.addEventListener('scroll', measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(scroller);
    observer.observe(element);
    return () => {
      scroller.removeEventListener('scroll', measure);
      observer.disconnect();
    };
  }, [rowPx]);

  const linkOf = (id: string): HTMLElement | null =>
    list.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"] .session-link`) ?? null;
  useLayoutEffect(() => {
    if (!wantsFocus.current || active.current === null) return;
    const link = linkOf(active.current);
    // A row far away does not exist before the list has been scrolled there.
    if (link === null) return;
    wantsFocus.current = false;
    link.focus({ preventScroll: true });
  });

  const current = (): string | null => {
    // Keys come faster than rows are drawn.
    if (wantsFocus.current) return active.current;
    const focused = document.activeElement?.closest('.session-row')?.getAttribute('data-id');
    return focused ?? active.current;
  };
  const move = (event: KeyboardEvent, to: (at: number) => number): void => {
    event.preventDefault();
    const id = current();
    const at = sessions.findIndex((session) => session.id === id);
    const index = Math.max(0, Math.min(sessions.length - 1, to(at)));
    const next = sessions[index];
    const element = list.current;
    const scroller = element?.closest('.layout-main');
    if (next === undefined || element === null || !(scroller instanceof HTMLElement)) return;
    const frame = scroller.getBoundingClientRect();
    const top = element.getBoundingClientRect().top + index * rowPx;
    if (top < frame.top + rowPx) scroller.scrollTop -= frame.top + rowPx - top;
    else if (top + rowPx * 2 > frame.bottom) scroller.scrollTop += top + rowPx * 2 - frame.bottom;
    wantsFocus.current = true;
    active.current = next.id;
    draw((count) => count + 1);
  };
  useShortcuts({
    j: (event) => move(event, (at) => at + 1),
    ArrowDown: (event) => move(event, (at) => at + 1),
    k: (event) => move(event, (at) => at - 1),
    ArrowUp: (event) => move(event, (at) => at - 1),
    Enter: (event) => {
      // On a link or button the browser does it.
      if (
        active.current === null ||
        (event.target instanceof Element && event.target.closest('a, button, input') !== null)
      )
        return;
      navigate(`/sessions/${active.current}`);
    },
    x: () => {
      const session = sessions.find(({ id }) => id === current());
      if (session !== undefined && canSelect(session)) onSelect(session, !selected.has(session.id), false);
    },
    '/': (event) => {
      event.preventDefault();
      onSearch();
    },
    Escape: onEscape,
  });

  const last = Math.min(sessions.length, range.last);
  const first = Math.min(range.first, last);
  return (
    <ul
      ref={list}
      role="list"
      class="session-list"
      aria-label={SESSIONS.list}
      style={{ height: `${sessions.length * rowPx}px` }}
    >
      {sessions.slice(first, last).map((session, index) => (
        <SessionRow
          key={session.id}
          session={session}
          selected={canSelect(session) ? selected.has(session.id) : null}
          position={first + index + 1}
          count={sessions.length}
          top={(first + index) * rowPx}
          showOwner={showOwner}
          onSelect={onSelect}
          onTag={onTag}
        />
      ))}
    </ul>
  );
}
