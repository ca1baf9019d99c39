import type { SessionDetails } from '@agentapi-proxy/client';
import { useEffect, useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { STATUS } from '../texts/conversation.ts';
import type { ConversationStore } from './conversation-store.ts';
import { stopwatch, type SessionWork } from './session-work.ts';
import type { Interruption } from './use-interruption.ts';

interface StatusLineProps {
  readonly store: ConversationStore;
  readonly work: SessionWork;
  readonly interruption: Interruption | null;
}

/** The drawing beside the status; see `.status-dot`. */
const PHASES: Readonly<Record<SessionWork, string>> = {
  preparing: 'starting',
  starting: 'starting',
  connecting: 'starting',
  working: 'working',
  waiting: 'waiting',
  asking: 'waiting',
  stopping: 'stopping',
  stopped: 'stopped',
  failed: 'failed',
};

/** What the agent does, and a button that stops it. */
export function StatusLine({ store, work, interruption }: StatusLineProps) {
  const details = store.details.value;
  const isReconnecting = store.connection.value === 'reconnecting';
  return (
    <div class="status-line">
      <span class="status">
        <span class="status-dot" data-phase={PHASES[work]} />
        <span dir="auto">
          {work === 'working' ? <WorkingFor since={store.status.value?.since} /> : textOf(work, details)}
        </span>
      </span>
      {isReconnecting && (
        <span class="status-reconnecting" role="status">
          {STATUS.reconnecting}
        </span>
      )}
      {interruption !== null && (
        <Button
          icon="stop"
          size="small"
          busy={interruption.isBusy}
          title={STATUS.interruptHint}
          onClick={interruption.begin}
        >
          {STATUS.interrupt}
        </Button>
      )}
    </div>
  );
}

function textOf(work: Exclude<SessionWork, 'working'>, details: SessionDetails | undefined): string {
  const reason = details?.reason;
  switch (work) {
    case 'starting': {
      const detail = details?.progress?.detail ?? '';
      return detail === '' ? STATUS.starting : STATUS.because(STATUS.starting, detail);
    }
    case 'stopped':
    case 'failed':
      return reason === undefined ? `${STATUS[work]}.` : STATUS.because(STATUS[work], reason);
    default:
      return STATUS[work];
  }
}

/** A stopwatch; screen readers hear only that the agent works. */
function WorkingFor({ since = Date.now() }: { readonly since: number | undefined }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <span class="visually-hidden">{STATUS.working}</span>
      <span class="stopwatch" aria-hidden="true">
        {STATUS.workingFor(stopwatch(now - since))}
      </span>
    </>
  );
}
