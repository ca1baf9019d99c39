import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { EmptyState, ErrorNotice, Notice } from '../components/notice.tsx';
import { Loading } from '../components/loading.tsx';
import { useConsole } from '../console-context.ts';
import { TERMINAL } from '../texts/terminal.ts';
import { TerminalFeed, screenTexts, type FeedState } from './terminal-feed.ts';
import './terminal.css';

interface PlainScreenProps {
  readonly sessionId: string;
  readonly isLive: boolean;
}

/** The screen of an agent behind another agent server than ours: text, without colours and cursor. */
export function PlainScreen({ sessionId, isLive }: PlainScreenProps) {
  const { client, turns } = useConsole();
  const state = useSignal<FeedState>({ kind: 'connecting' });
  const text = useSignal<string | null>(null);
  const scroller = useRef<HTMLPreElement>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (!isLive) return undefined;
    const target = screenTexts((screen) => {
      text.value = screen.trimEnd();
    });
    const feed = new TerminalFeed(client.session(sessionId), target, turns);
    const unsubscribe = feed.state.subscribe((next) => {
      state.value = next;
    });
    return () => {
      unsubscribe();
      feed.close();
      state.value = { kind: 'ended' };
    };
  }, [client, turns, sessionId, isLive, attempt]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, [text.value]);
  const { kind } = state.value;
  if (kind === 'none') {
    return (
      <EmptyState icon="terminal" title={TERMINAL.noneTitle}>
        {TERMINAL.noneText}
      </EmptyState>
    );
  }
  return (
    <section class="terminal" aria-label={TERMINAL.label}>
      <div class="terminal-toolbar">
        <span class="terminal-state" data-state={kind} role="status">
          {TERMINAL.states[kind]}
        </span>
        <span class="muted">{TERMINAL.plainHint}</span>
      </div>
      {state.value.kind === 'failed' && (
        <div class="terminal-notice">
          <ErrorNotice
            title={TERMINAL.loadFailed}
            error={state.value.error}
            onRetry={() => setAttempt(attempt + 1)}
          />
        </div>
      )}
      {kind === 'ended' && (
        <div class="terminal-notice">
          <Notice tone="info">{TERMINAL.endedNotice}</Notice>
        </div>
      )}
      {text.value === null ? (
        kind === 'connecting' && <Loading />
      ) : (
        <div class="terminal-frame">
          <pre
            ref={scroller}
            class="terminal-scroller terminal-plain"
            role="region"
            aria-label={TERMINAL.screen}
            tabIndex={0}
            dir="ltr"
          >
            {text.value}
          </pre>
        </div>
      )}
    </section>
  );
}
