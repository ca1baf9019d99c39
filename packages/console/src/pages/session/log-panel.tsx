import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isLive } from '../../api/live-session.ts';
import { useLoaded } from '../../api/use-loaded.ts';
import { useVisibleInterval } from '../../api/use-visible-interval.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { Check } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { Loading } from '../../components/loading.tsx';
import { EmptyState, ErrorNotice } from '../../components/notice.tsx';
import { saveFile } from '../../components/save-file.ts';
import { choicesOf, Select } from '../../components/select.tsx';
import { useConsole } from '../../console-context.ts';
import { isComposing } from '../../is-composing.ts';
import { LOG } from '../../texts/workspace.ts';
import { LogLines } from './log/log-lines.tsx';
import { logLines, matchingLines } from './log/log-text.ts';
import type { SessionPanelProps } from './session-tabs.ts';
import './log/log-panel.css';

/** The server gives at most the last of these. */
const LINE_COUNTS = [200, 1_000, 5_000] as const;
/** The log has no event stream; somebody who follows it looks at it now and wants to see what happens. */
const FOLLOW_MS = 2_000;
/** So near to the end, the end is what is being read. */
const NEAR_END_PX = 24;

/** What the processes of the session printed: the last lines, which can be followed and searched. */
export function LogPanel({ session }: SessionPanelProps) {
  const { client } = useConsole();
  const [count, setCount] = useState<number>(LINE_COUNTS[1]);
  const [isFollowed, setFollowed] = useState(true);
  const [isWrapped, setWrapped] = useState(true);
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  // A change of the state is when the last lines are printed.
  const { value, error, isLoading, reload } = useLoaded(
    (signal) => client.log(session.id, { lines: count, signal }),
    [client, session.id, session.state, count],
  );
  const follow = (): void => {
    // A look that takes longer than the pause is not begun anew for ever.
    if (!isLoading) reload();
  };
  useVisibleInterval(follow, isFollowed && isLive(session.phase) ? FOLLOW_MS : null);

  const lines = useMemo(() => logLines(value ?? ''), [value]);
  const matches = useMemo(() => matchingLines(lines, wanted), [lines, wanted]);
  const current = matches.length === 0 ? null : Math.min(at, matches.length - 1);
  const currentLine = current === null ? null : (matches[current] ?? null);

  const toEnd = useCallback((): void => {
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, []);
  useLayoutEffect(() => {
    if (isFollowed && wanted === '') toEnd();
  }, [lines, isFollowed, isWrapped, wanted, toEnd]);
  useEffect(() => {
    if (currentLine === null) return;
    scroller.current?.querySelector(`[data-line="${currentLine}"]`)?.scrollIntoView({ block: 'center' });
  }, [currentLine, wanted]);

  const step = (by: number): void => {
    if (current !== null) setAt((current + by + matches.length) % matches.length);
  };
  const onScroll = (): void => {
    const element = scroller.current;
    if (element === null || wanted !== '') return;
    // Whoever scrolls up wants to read; at the end new lines come by themselves again.
    setFollowed(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX);
  };
  if (value === null) {
    return error === null ? (
      <Loading />
    ) : (
      <div class="page">
        <ErrorNotice title={LOG.loadFailed} error={error} onRetry={reload} />
      </div>
    );
  }
  return (
    <section class="log-panel" aria-label={LOG.label}>
      <div class="log-toolbar">
        <search class="log-search">
          <div class="log-search-field">
            <Icon name="search" />
            <input
              type="search"
              class="input"
              aria-label={LOG.search}
              placeholder={LOG.searchPlaceholder}
              value={wanted}
              onInput={({ currentTarget }) => {
                setWanted(currentTarget.value);
                setAt(0);
              }}
              onKeyDown={(event) => {
                if (event.key !== 'Enter' || isComposing(event)) return;
                event.preventDefault();
                step(event.shiftKey ? -1 : 1);
              }}
            />
          </div>
          {wanted !== '' && (
            <>
              <span class="muted" role="status">
                {current === null ? LOG.noMatch : LOG.match(current + 1, matches.length)}
              </span>
              <IconButton icon="chevronLeft" size="small" label={LOG.previous} onClick={() => step(-1)} />
              <IconButton icon="chevronRight" size="small" label={LOG.next} onClick={() => step(1)} />
            </>
          )}
        </search>
        <div class="log-actions">
          <span class="muted">{LOG.lines(lines.length)}</span>
          <Check label={LOG.follow} checked={isFollowed} onChange={setFollowed} />
          <Check label={LOG.wrap} checked={isWrapped} onChange={setWrapped} />
          <Select
            class="log-count"
            aria-label={LOG.howMany}
            choices={choicesOf(LINE_COUNTS, LOG.last)}
            value={count}
            onChange={setCount}
          />
          <IconButton icon="refresh" size="small" label={LOG.refresh} onClick={reload} />
          <IconButton
            icon="download"
            size="small"
            label={LOG.download}
            disabled={lines.length === 0}
            onClick={() => saveFile(`session-${session.id}.log`, value)}
          />
        </div>
      </div>
      {error !== null && <ErrorNotice title={LOG.loadFailed} error={error} onRetry={reload} />}
      {lines.length === 0 ? (
        <EmptyState icon="file" title={LOG.emptyTitle}>
          {LOG.emptyText}
        </EmptyState>
      ) : (
        <div class="log-panel-frame">
          <div
            ref={scroller}
            class="log-text"
            data-wrap={isWrapped}
            role="region"
            aria-label={LOG.text}
            tabIndex={0}
            onScroll={onScroll}
          >
            <LogLines lines={lines} wanted={wanted} current={currentLine} />
          </div>
          {!isFollowed && (
            <div class="log-to-end">
              <Button
                size="small"
                icon="chevronDown"
                onClick={() => {
                  setWanted('');
                  setFollowed(true);
                  toEnd();
                }}
              >
                {LOG.toEnd}
              </Button>
            </div>
          )}
        </div>
      )}
    </section>
  );
}
