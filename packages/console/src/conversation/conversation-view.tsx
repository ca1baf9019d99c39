import { createClient } from '@agentapi-proxy/client';
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { IconButton } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { Skeleton } from '../components/loading.tsx';
import { EmptyState, ErrorNotice, Notice } from '../components/notice.tsx';
import { useConsole, type Console } from '../console-context.ts';
import { COMPOSER, CONVERSATION } from '../texts/conversation.ts';
import { Announcer } from './announcer.tsx';
import { Attachments } from './attachments.ts';
import { browserStorage } from './browser-storage.ts';
import { Composer } from './composer.tsx';
import { ConversationStore } from './conversation-store.ts';
import './conversation.css';
import { KeptText } from './kept-text.ts';
import { MessageLog } from './message-log.tsx';
import { QuestionPanels } from './question-panels.tsx';
import { QuestionsStore } from './questions-store.ts';
import { QueueStore } from './queue-store.ts';
import { QueueView } from './queue-view.tsx';
import { ScrollKeeper } from './scroll-keeper.ts';
import { takesMessages, workOf, type SessionWork } from './session-work.ts';
import { StatusLine } from './status-line.tsx';
import { useInterruption } from './use-interruption.ts';
import { fetchWithProgress } from './xhr-upload.ts';

interface ConversationViewProps {
  readonly sessionId: string;
  /** False for those who may only look on. */
  readonly canWrite?: boolean;
  /** Whether the session lives, as far as the page knows: one that lives again is followed again. */
  readonly isLive?: boolean;
}

/** The conversation with an agent: what was said, what it does, what it asks, and where to write. */
export function ConversationView(props: ConversationViewProps) {
  // Another session is another conversation: nothing of the one before is left.
  return <OneConversation key={props.sessionId} {...props} />;
}

function OneConversation({ sessionId, canWrite: mayWrite = true, isLive = true }: ConversationViewProps) {
  const parts = useParts(sessionId);
  const { store, queue, questions } = parts;
  const canWrite = mayWrite && !queue.isForbidden.value;
  useEffect(() => {
    if (isLive) store.restart();
  }, [store, isLive]);
  const phase = store.phase.value;
  const details = store.details.value;
  const asks = questions.dialog.value !== null || questions.permissions.value.length > 0;
  const work = details === undefined ? 'connecting' : workOf(details.state, store.status.value?.status, asks);
  const interruption = useInterruption(parts, work === 'working' && canWrite);
  if (details === undefined || phase.kind === 'loading') {
    return phase.kind === 'failed' ? (
      <div class="conversation-state">
        <ErrorNotice error={phase.error} title={CONVERSATION.loadFailed} onRetry={() => store.restart()} />
      </div>
    ) : (
      <div class="conversation-state">
        <Skeleton rows={5} />
      </div>
    );
  }
  return (
    <div class="conversation">
      {/* What is said has headings of its own, below this one. */}
      <h2 class="visually-hidden">{CONVERSATION.log}</h2>
      {store.messages.value.length === 0 ? (
        <EmptyConversation work={work} canWrite={canWrite} />
      ) : (
        <MessageLog store={store} questions={questions} keeper={parts.keeper} agent={details.agent} />
      )}
      <Announcer store={store} agent={details.agent} asks={asks} />
      <div class="conversation-foot">
        {phase.kind === 'failed' && (
          <ErrorNotice error={phase.error} title={CONVERSATION.lost} onRetry={() => store.restart()} />
        )}
        <Notices store={store} />
        <StatusLine store={store} work={work} interruption={interruption} />
        <Writing
          parts={parts}
          sessionId={sessionId}
          work={work}
          hasComposer={mayWrite}
          canWrite={canWrite}
          queue={queue}
          onInterrupt={interruption?.begin}
        />
      </div>
    </div>
  );
}

interface WritingProps {
  readonly parts: Parts;
  readonly sessionId: string;
  readonly work: SessionWork;
  /** Whoever may not write any more keeps the composer, with what was written in it. */
  readonly hasComposer: boolean;
  readonly canWrite: boolean;
  readonly queue: QueueStore;
  readonly onInterrupt: (() => void) | undefined;
}

function Writing(props: WritingProps) {
  const { parts, sessionId, work, hasComposer, canWrite, queue, onInterrupt } = props;
  const { store, questions, keeper, kept, attachments } = parts;
  const [showsKeys, setShowsKeys] = useState(false);
  const returned = useSignal({ text: '', count: 0 });
  const isRunning = store.details.value?.state === 'running';
  const isTerminal = isRunning && store.transport.value === 'pty';
  const toComposer = (text: string): void => {
    returned.value = { text, count: returned.value.count + 1 };
  };
  return (
    <>
      <QuestionPanels
        questions={questions}
        canWrite={canWrite}
        showsKeys={showsKeys && isTerminal}
        onHideKeys={() => setShowsKeys(false)}
        onAnswered={() => toComposer('')}
      />
      <QueueView
        queue={queue}
        canWrite={canWrite && takesMessages(work)}
        onReturn={hasComposer ? toComposer : null}
      />
      {hasComposer ? (
        <Composer
          sessionId={sessionId}
          profileId={store.details.value?.profile_id}
          kept={kept}
          attachments={attachments}
          closedBecause={closedBecause(work, canWrite)}
          takesFiles={isRunning}
          isWorking={work !== 'waiting' && takesMessages(work)}
          showsKeys={isTerminal ? showsKeys : undefined}
          onToggleKeys={() => setShowsKeys(!showsKeys)}
          onSend={(content) => {
            keeper.toEnd();
            void queue.send(content);
          }}
          onInterrupt={onInterrupt}
          returned={returned.value}
        />
      ) : (
        <p class="reading-note muted">
          <Icon name="lock" />
          {COMPOSER.readOnly}
        </p>
      )}
    </>
  );
}

function closedBecause(work: SessionWork, canWrite: boolean): string | undefined {
  if (!canWrite) return COMPOSER.readOnly;
  if (takesMessages(work)) return undefined;
  return work === 'stopping' ? COMPOSER.stopping : COMPOSER.ended;
}

function EmptyConversation({ work, canWrite }: { readonly work: SessionWork; readonly canWrite: boolean }) {
  const isStarting = work === 'preparing' || work === 'starting';
  const text = !takesMessages(work)
    ? CONVERSATION.emptyEnded
    : !canWrite
      ? CONVERSATION.emptyReading
      : isStarting
        ? CONVERSATION.emptyStarting
        : CONVERSATION.emptyText;
  return (
    <div class="log-frame">
      <EmptyState icon="message" title={CONVERSATION.emptyTitle}>
        {text}
      </EmptyState>
    </div>
  );
}

function Notices({ store }: { readonly store: ConversationStore }) {
  return (
    <>
      {store.notices.value.map(({ eventId, level, message }) => (
        <Notice
          key={eventId}
          tone={level === 'warning' ? 'warning' : 'danger'}
          action={
            <IconButton
              icon="x"
              size="small"
              label={CONVERSATION.dismissNotice}
              onClick={() => store.dismissNotice(eventId)}
            />
          }
        >
          <span dir="auto">{message}</span>
        </Notice>
      ))}
    </>
  );
}

interface Parts {
  readonly store: ConversationStore;
  readonly queue: QueueStore;
  readonly questions: QuestionsStore;
  readonly keeper: ScrollKeeper;
  readonly kept: KeptText;
  readonly attachments: Attachments;
}

/** Everything that a conversation works with, for as long as it is shown. */
function useParts(sessionId: string): Parts {
  const { client, auth, turns } = useConsole();
  const parts = useMemo(() => {
    const session = client.session(sessionId);
    const kept = new KeptText(browserStorage());
    const upload = (onProgress: (share: number) => void) => uploadClient(auth, onProgress).session(sessionId);
    return {
      store: new ConversationStore(session, turns),
      queue: new QueueStore(session, kept),
      questions: new QuestionsStore(session, turns),
      keeper: new ScrollKeeper(),
      kept,
      attachments: new Attachments(upload, kept.draft(sessionId).files),
    };
  }, [client, auth, turns, sessionId]);
  useEffect(() => {
    const { store, queue, questions, attachments } = parts;
    const unwatch = store.watch((news) => {
      if (news.kind === 'status' || news.kind === 'state') queue.lookSoon();
      if (news.kind === 'message' && news.message.role === 'user') queue.lookSoon();
      questions.lookSoon(store.status.value?.status === 'running');
    });
    const begin = (transport: 'pty' | 'acp'): void => {
      // Other agent servers than ours know of no questions.
      if (store.details.value?.agent_server !== 'external') questions.begin(transport);
    };
    const unsubscribe = [
      store.connection.subscribe((connection) => {
        if (connection === 'live') queue.reconnected();
      }),
      store.transport.subscribe((transport) => {
        if (transport !== undefined) begin(transport);
      }),
      store.details.subscribe((details) => {
        if (details === undefined) return;
        const { transport } = store;
        if (details.state !== 'running') questions.end();
        else if (transport.value !== undefined) begin(transport.value);
      }),
    ];
    store.start();
    queue.start();
    return () => {
      unwatch();
      for (const end of unsubscribe) end();
      store.close();
      queue.close();
      questions.end();
      attachments.close();
    };
  }, [parts]);
  return parts;
}

function uploadClient(auth: Console['auth'], onProgress: (share: number) => void) {
  return createClient({
    baseUrl: new URL('../', document.baseURI),
    ...(auth.key === null ? {} : { apiKey: auth.key }),
    headers: { 'X-Console': '1' },
    fetch: fetchWithProgress(onProgress),
  });
}
