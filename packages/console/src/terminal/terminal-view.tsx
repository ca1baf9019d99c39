import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError } from '@agentapi-proxy/client';
import { errorText } from '../api/error-text.ts';
import { Button } from '../components/button.tsx';
import { copyText } from '../components/copy-button.tsx';
import { EmptyState, ErrorNotice, Notice } from '../components/notice.tsx';
import { useConsole } from '../console-context.ts';
import { COMMON } from '../texts/common.ts';
import { TERMINAL } from '../texts/terminal.ts';
import { useMediaQuery } from '../use-media-query.ts';
import type { TerminalSize } from './emulator.ts';
import { KeyInput } from './key-input.tsx';
import { KeyQueue } from './key-queue.ts';
import { KeyRow } from './key-row.tsx';
import { ScreenText } from './screen-text.tsx';
import { TerminalFeed, terminalEvents, type FeedState } from './terminal-feed.ts';
import { TerminalToolbar } from './terminal-toolbar.tsx';
import { useEmulator, type DrawnScreen } from './use-emulator.ts';
import './terminal.css';
import './terminal-colors.css';

interface TerminalViewProps {
  readonly sessionId: string;
  /** What the page knows of the agent; one that runs again is looked at again. */
  readonly agent: 'starting' | 'running' | 'gone';
  /** False for those who may only look on. */
  readonly canWrite: boolean;
}

/** The screen of an agent, in which one can type on request. */
export function TerminalView({ sessionId, agent, canWrite }: TerminalViewProps) {
  const { client, toasts, preferences } = useConsole();
  const isText = preferences.values.value.terminalText;
  const session = useMemo(() => client.session(sessionId), [client, sessionId]);
  const scroller = useRef<HTMLDivElement>(null);
  const clip = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const controlPlace = useRef<HTMLSpanElement>(null);
  const screen = useEmulator({ scroller, clip, host, input });
  const { state, size, retry } = useFeed(screen, sessionId, agent);
  const [wantsControl, setWantsControl] = useState(false);
  const isTouch = useMediaQuery('(pointer: coarse)');
  const isConnected = state.kind === 'live';
  const isOver = state.kind === 'ended' || state.kind === 'none' || state.kind === 'failed';
  const inControl = wantsControl && canWrite && !isOver;

  const queue = useMemo(
    () =>
      new KeyQueue(
        (keys) => session.sendRaw(keys),
        (error) => {
          toasts.failure(`${TERMINAL.keysFailed} ${errorText(error)}`);
          // The session was shared to be looked at.
          if (error instanceof ApiError && error.kind === 'forbidden') setWantsControl(false);
        },
      ),
    [session, toasts],
  );
  useEffect(() => () => queue.close(), [queue]);
  const type = (keys: string): void => {
    if (!isConnected) return;
    queue.push(keys);
    screen?.emulator.clearSelection();
    if (screen?.layout.isAway.peek() === true) screen.layout.toCursor();
  };
  const control = (wanted: boolean): void => {
    setWantsControl(wanted);
    if (!wanted) controlPlace.current?.querySelector('button')?.focus();
  };
  const copySelection = (): void => {
    copyText(screen?.emulator.selection ?? '').then(
      () => toasts.success(COMMON.copied),
      () => toasts.failure(COMMON.copyFailed),
    );
  };
  const resize = (wanted: TerminalSize): void => {
    session.agent.resizeTerminal(wanted.columns, wanted.rows).catch((error: unknown) => {
      toasts.failure(`${TERMINAL.resizeFailed} ${errorText(error)}`);
    });
  };
  if (state.kind === 'none') {
    return (
      <EmptyState icon="terminal" title={TERMINAL.acpTitle}>
        {TERMINAL.acpText}
      </EmptyState>
    );
  }
  return (
    <section class="terminal" aria-label={TERMINAL.label} data-control={inControl} data-text={isText}>
      <TerminalToolbar
        state={state.kind}
        size={size}
        inControl={inControl}
        canControl={canWrite && !isOver}
        controlPlace={controlPlace}
        onControl={control}
        onCopy={screen?.hasSelection.value === true ? copySelection : null}
        fittingSize={() => screen?.layout.fittingSize() ?? null}
        onResize={resize}
      />
      {inControl && (
        <p class="terminal-banner" role="status" data-lost={!isConnected}>
          {isConnected ? TERMINAL.inControl : TERMINAL.lostControl}{' '}
          <span class="terminal-leave">
            <kbd>{TERMINAL.leaveKey}</kbd> {TERMINAL.leaveHint}
          </span>
        </p>
      )}
      {state.kind === 'ended' && (
        <div class="terminal-notice">
          <Notice tone="info">{TERMINAL.endedNotice}</Notice>
        </div>
      )}
      {state.kind === 'failed' && (
        <div class="terminal-notice">
          <ErrorNotice title={TERMINAL.loadFailed} error={state.error} onRetry={retry} />
        </div>
      )}
      <div class="terminal-frame">
        <div
          ref={scroller}
          class="terminal-scroller"
          role="region"
          aria-label={TERMINAL.screen}
          tabIndex={0}
          onScroll={() => screen?.layout.scrolled()}
          onCopy={(event) => {
            const selected = screen?.emulator.selection ?? '';
            if (selected === '') return;
            event.preventDefault();
            event.clipboardData?.setData('text/plain', selected);
            screen?.emulator.clearSelection();
          }}
          // A click gives the focus to the field of the emulator, which takes no keys.
          onFocusIn={({ target }) => {
            if (!(target instanceof HTMLElement) || !target.matches('.xterm-helper-textarea')) return;
            // The menu of the right button copies from that field.
            if (screen?.emulator.selection !== '') return;
            (input.current ?? scroller.current)?.focus({ preventScroll: true });
          }}
        >
          <div ref={clip} class="terminal-clip">
            <div ref={host} class="terminal-host" hidden={isText} />
            {isText && screen !== null && <ScreenText screen={screen} isAnnounced={inControl} />}
            {inControl && screen !== null && (
              <KeyInput
                field={input}
                applicationCursor={() => screen.emulator.applicationCursor}
                bracketedPaste={() => screen.emulator.bracketedPaste}
                hasSelection={() => screen.emulator.selection !== ''}
                onKeys={type}
                onFocus={(isFocused) => {
                  screen.emulator.showFocus(isFocused);
                  screen.layout.updateSoon();
                }}
                onLeave={() => control(false)}
              />
            )}
          </div>
        </div>
        {screen?.layout.isAway.value === true && (
          <div class="terminal-jump">
            <Button size="small" icon="chevronDown" onClick={() => screen.layout.toCursor()}>
              {TERMINAL.toCursor}
            </Button>
          </div>
        )}
      </div>
      {inControl && isTouch && (
        <KeyRow
          isDisabled={!isConnected}
          applicationCursor={() => screen?.emulator.applicationCursor ?? false}
          onKeys={type}
        />
      )}
    </section>
  );
}

interface Feed {
  readonly state: FeedState;
  readonly size: TerminalSize | null;
  readonly retry: () => void;
}

/** Lets the screen show that of the session. */
function useFeed(screen: DrawnScreen | null, sessionId: string, agent: TerminalViewProps['agent']): Feed {
  const { client, turns } = useConsole();
  const state = useSignal<FeedState>({ kind: 'connecting' });
  const size = useSignal<TerminalSize | null>(null);
  const [attempt, setAttempt] = useState(0);
  const isRunning = agent === 'running';
  useEffect(() => {
    // When the session ends its stream does, and the last screen stays.
    if (screen === null || !isRunning) return undefined;
    const { emulator } = screen;
    const target = terminalEvents(async (event) => {
      if (event.kind === 'output') {
        await emulator.write(event.data);
        return;
      }
      await emulator.repaint(event, event.data);
      size.value = emulator.size;
    });
    const feed = new TerminalFeed(client.session(sessionId), target, turns);
    const unsubscribe = feed.state.subscribe((next) => {
      state.value = next;
    });
    return () => {
      unsubscribe();
      feed.close();
      state.value = { kind: 'connecting' };
    };
  }, [client, turns, screen, sessionId, isRunning, attempt]);
  return {
    state: agent === 'gone' ? { kind: 'ended' } : state.value,
    size: size.value,
    retry: () => setAttempt(attempt + 1),
  };
}
