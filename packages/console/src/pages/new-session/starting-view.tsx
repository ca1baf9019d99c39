import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import type { SessionDetails } from '@agentapi-proxy/client';
import { useLoaded } from '../../api/use-loaded.ts';
import { useSession, type SessionLookup } from '../../api/use-session.ts';
import { useVisibleInterval } from '../../api/use-visible-interval.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Loading } from '../../components/loading.tsx';
import { ErrorNotice, Notice } from '../../components/notice.tsx';
import { useConsole } from '../../console-context.ts';
import { NEW_SESSION } from '../../texts/new-session.ts';
import { DetailsPending } from '../session/details-pending.tsx';

interface StartingViewProps {
  readonly id: string;
  /** Back to the form, with everything that is in it. */
  readonly onChange: () => void;
}

/** More than fits on a screen; what led to a failure stands at the end. */
const LOG_LINES = 200;

/** The event streams tell of states; how far a clone is stands in the session's record only. */
const PROGRESS_MS = 1_000;

/** How a start goes; leads to the conversation, or says what went wrong. */
export function StartingView({ id, onChange }: StartingViewProps) {
  const lookup = useSession(id);
  const [, navigate] = useLocation();
  const heading = useRef<HTMLHeadingElement>(null);
  const state = lookup.kind === 'ready' ? lookup.session.state : 'creating';
  const path = `/sessions/${id}`;
  useEffect(() => {
    if (state === 'running') navigate(path, { replace: true });
  }, [state, path, navigate]);
  const isOver = state === 'failed' || state === 'stopped' || state === 'stopping';
  useLayoutEffect(() => heading.current?.focus(), [isOver]);

  if (lookup.kind === 'failed')
    return <ErrorNotice title={NEW_SESSION.startedElsewhere} error={lookup.error} onRetry={lookup.retry} />;
  if (isOver) {
    return (
      <>
        <h1 ref={heading} tabIndex={-1}>
          {NEW_SESSION.failedTitle}
        </h1>
        <FailedStart id={id} lookup={lookup} isFailed={state === 'failed'} />
        <div class="page-actions">
          <Button variant="primary" icon="edit" onClick={onChange}>
            {NEW_SESSION.changeAndRetry}
          </Button>
          <Link href={path} class="button" data-variant="secondary">
            {NEW_SESSION.openFailed}
          </Link>
        </div>
      </>
    );
  }
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {NEW_SESSION.startingTitle}
      </h1>
      <Progress id={id} state={state} />
      <p class="muted">{NEW_SESSION.startingText}</p>
      <div class="page-actions">
        <Link href={path} class="button" data-variant="secondary">
          {NEW_SESSION.openNow}
        </Link>
      </div>
    </>
  );
}

interface ProgressProps {
  readonly id: string;
  readonly state: SessionDetails['state'];
}

function Progress({ id, state }: ProgressProps) {
  const { client } = useConsole();
  const [progress, setProgress] = useState<SessionDetails['progress']>();
  const isPreparing = state === 'creating' || state === 'starting';
  const look = async (): Promise<void> => {
    try {
      setProgress((await client.get(id)).progress);
    } catch {
      // The next look may succeed; what is wrong with the session shows elsewhere.
    }
  };
  useVisibleInterval(() => void look(), isPreparing ? PROGRESS_MS : null);
  const steps: Readonly<Record<string, string>> = NEW_SESSION.steps;
  const percent = progress?.percent ?? null;
  const label =
    progress === undefined
      ? `${NEW_SESSION.phases[state]} …`
      : NEW_SESSION.progress(steps[progress.step] ?? progress.step, percent);
  return (
    <div class="start-progress">
      <progress
        aria-label={NEW_SESSION.startingTitle}
        max={100}
        {...(percent === null ? {} : { value: percent })}
      />
      <div role="status">{label}</div>
      {progress !== undefined && progress.detail !== '' && (
        <div class="muted truncate" dir="auto">
          {progress.detail}
        </div>
      )}
    </div>
  );
}

interface FailedStartProps {
  readonly id: string;
  readonly lookup: SessionLookup;
  readonly isFailed: boolean;
}

function FailedStart({ id, lookup, isFailed }: FailedStartProps) {
  const { client } = useConsole();
  const log = useLoaded((signal) => client.log(id, { lines: LOG_LINES, signal }), [client, id]);
  if (lookup.kind !== 'ready') return <Loading />;
  const { details, detailsError, retry } = lookup;
  if (details === null) return <DetailsPending error={detailsError} onRetry={retry} />;
  const reason = details.reason ?? (isFailed ? NEW_SESSION.noReason : NEW_SESSION.stoppedEarly);
  const text = log.value?.trimEnd() ?? '';
  return (
    <>
      <Notice tone="danger">
        <span dir="auto">{reason}</span>
      </Notice>
      <section class="start-log" aria-labelledby="start-log-title">
        <header>
          <h2 id="start-log-title">{NEW_SESSION.log}</h2>
          {text !== '' && <CopyButton label={NEW_SESSION.copyLog} text={text} />}
        </header>
        {log.error !== null && (
          <ErrorNotice title={NEW_SESSION.logFailed} error={log.error} onRetry={log.reload} />
        )}
        {log.value === null && log.error === null && <Loading label={NEW_SESSION.logLoading} />}
        {log.value !== null && text === '' && <p class="muted">{NEW_SESSION.logEmpty}</p>}
        {text !== '' && (
          <pre tabIndex={0} aria-label={NEW_SESSION.log} role="region">
            {text}
          </pre>
        )}
      </section>
    </>
  );
}
