import { useSignalEffect } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { ErrorNotice } from '../components/notice.tsx';
import { CONVERSATION } from '../texts/conversation.ts';
import { rowsOf, type ConversationRow } from './conversation-rows.ts';
import type { ConversationStore } from './conversation-store.ts';
import { MessageView } from './message-view.tsx';
import { NearView, NearViewContext } from './near-view.ts';
import type { QuestionsStore } from './questions-store.ts';
import type { ScrollKeeper } from './scroll-keeper.ts';
import { PlanView, ToolCallsView } from './tool-view.tsx';

/** So far above the view older messages are fetched, so that nobody comes to a stop. */
const OLDER_AHEAD = '1200px 0px 0px 0px';
/** As many of the last messages may be in view when the page is opened. */
const EAGER_MESSAGES = 12;
/** More are forgotten while the end is in view. */
const MAX_MESSAGES = 3_000;

interface MessageLogProps {
  readonly store: ConversationStore;
  readonly questions: QuestionsStore;
  readonly keeper: ScrollKeeper;
  readonly agent: string;
}

/**
 * What was said. All of it is in the page, where the browser's search and screen readers find it; what is far from the view
 * is not laid out (`content-visibility`).
 */
export function MessageLog({ store, questions, keeper, agent }: MessageLogProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const near = useMemo(() => new NearView(), []);
  useEffect(() => () => near.close(), [near]);
  useLayoutEffect(() => {
    if (scroller.current === null || content.current === null) return undefined;
    return keeper.attach(scroller.current, content.current);
  }, [keeper]);
  useSignalEffect(() => {
    if (keeper.follows.value && store.messages.value.length > MAX_MESSAGES) void store.forgetOld();
  });
  return (
    <div class="log-frame">
      {/* The log itself is silent: it changes with every word. What is new is announced once it is complete. */}
      <div
        ref={scroller}
        class="log"
        role="log"
        aria-live="off"
        aria-label={CONVERSATION.log}
        aria-busy={store.connection.value === 'reconnecting'}
        tabIndex={0}
      >
        <div ref={content} class="log-content">
          <OlderMessagesView store={store} scroller={scroller} />
          <NearViewContext.Provider value={near}>
            <Rows store={store} questions={questions} agent={agent} />
          </NearViewContext.Provider>
        </div>
      </div>
      <JumpButton store={store} keeper={keeper} />
    </div>
  );
}

interface RowsProps {
  readonly store: ConversationStore;
  readonly questions: QuestionsStore;
  readonly agent: string;
}

function Rows({ store, questions, agent }: RowsProps) {
  const messages = store.messages.value;
  const toolCalls = questions.toolCalls.value;
  const transport = store.transport.value;
  const { rows, rest } = useMemo(() => rowsOf(messages, toolCalls), [messages, toolCalls]);
  const [eagerFrom] = useState((messages.at(-1)?.id ?? 0) - EAGER_MESSAGES);
  const drawn = useMemo(() => new RowCache(agent, transport, eagerFrom), [agent, transport, eagerFrom]);
  const plan = questions.plan.value;
  return (
    <>
      {drawn.nodes(rows)}
      {rest.length > 0 && <ToolCallsView toolCalls={rest} />}
      {plan.length > 0 && <PlanView entries={plan} />}
    </>
  );
}

/** Lines that have not changed are not compared again: of thousands, one grows at a time. */
class RowCache {
  readonly #agent: string;
  readonly #transport: 'pty' | 'acp' | undefined;
  readonly #eagerFrom: number;
  #known = new Map<number, { readonly row: ConversationRow; readonly node: VNode }>();

  constructor(agent: string, transport: 'pty' | 'acp' | undefined, eagerFrom: number) {
    this.#agent = agent;
    this.#transport = transport;
    this.#eagerFrom = eagerFrom;
  }

  nodes(rows: readonly ConversationRow[]): readonly VNode[] {
    const next = new Map<number, { readonly row: ConversationRow; readonly node: VNode }>();
    for (const row of rows) {
      const { id } = row.message;
      const before = this.#known.get(id);
      const isSame =
        before !== undefined &&
        before.row.message === row.message &&
        before.row.toolCalls.length === row.toolCalls.length &&
        before.row.toolCalls.every((call, index) => call === row.toolCalls[index]);
      const node = isSame ? (
        before.node
      ) : (
        <MessageView
          key={id}
          row={row}
          agent={this.#agent}
          transport={this.#transport}
          isEager={id > this.#eagerFrom}
        />
      );
      next.set(id, { row, node });
    }
    this.#known = next;
    return Array.from(next.values(), ({ node }) => node);
  }
}

interface OlderMessagesProps {
  readonly store: ConversationStore;
  readonly scroller: { readonly current: HTMLElement | null };
}

function OlderMessagesView({ store, scroller }: OlderMessagesProps) {
  const mark = useRef<HTMLDivElement>(null);
  const older = store.older.value;
  useEffect(() => {
    if (older.kind !== 'some' || mark.current === null) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) void store.loadOlder();
      },
      { root: scroller.current, rootMargin: OLDER_AHEAD },
    );
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, [older, store, scroller]);
  return (
    <div ref={mark} class="log-older">
      {older.kind === 'failed' ? (
        <ErrorNotice
          error={older.error}
          title={CONVERSATION.olderFailed}
          onRetry={() => void store.loadOlder()}
        />
      ) : (
        <p class="muted">{older.kind === 'none' ? CONVERSATION.beginning : CONVERSATION.loadingOlder}</p>
      )}
    </div>
  );
}

function JumpButton({ store, keeper }: { readonly store: ConversationStore; readonly keeper: ScrollKeeper }) {
  const [seen, setSeen] = useState(-1);
  const follows = keeper.follows.value;
  const messages = store.messages.value;
  const last = messages.at(-1)?.id ?? -1;
  useEffect(() => {
    if (follows) setSeen(last);
  }, [follows, last]);
  if (follows) return null;
  const count = messages.filter(({ id }) => id > seen).length;
  return (
    <div class="log-jump">
      <Button icon="chevronDown" size="small" onClick={() => keeper.toEnd()}>
        {count > 0 ? CONVERSATION.newMessages(count) : CONVERSATION.jump}
      </Button>
    </div>
  );
}
