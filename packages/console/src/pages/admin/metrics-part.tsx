import { useState } from 'preact/hooks';
import { ApiError } from '@agentapi-proxy/client';
import { useLoaded } from '../../api/use-loaded.ts';
import { useVisibleInterval } from '../../api/use-visible-interval.ts';
import { Skeleton } from '../../components/loading.tsx';
import { EmptyState, ErrorNotice } from '../../components/notice.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { useConsole } from '../../console-context.ts';
import { durationText, shortNumber, sizeText } from '../../metrics/figure-text.ts';
import type { Figures, MetricsHistory } from '../../metrics/metrics-history.ts';
import { METRICS } from '../../texts/administration.ts';
import { MetricTile } from './metric-tile.tsx';
import { StateBar } from './state-bar.tsx';

/** Often enough to see something happen; what the server has to do for it is a matter of milliseconds. */
const REFRESH_MS = 5_000;

/** What the server measures, at a glance. */
export function MetricsPart({ history }: { readonly history: MetricsHistory }) {
  const { client } = useConsole();
  const [figures, setFigures] = useState<readonly Figures[]>(history.figures);
  const { error, isLoading, reload } = useLoaded(
    async (signal) => {
      const text = await client.metrics({ signal });
      if (signal.aborted) return;
      history.add(text, Date.now());
      setFigures(history.figures);
    },
    [client, history],
  );
  const refresh = (): void => {
    // A look that takes longer than the pause is not begun anew for ever.
    if (!isLoading) reload();
  };
  useVisibleInterval(refresh, REFRESH_MS);
  const now = figures.at(-1);
  if (error instanceof ApiError && error.kind === 'not_found') {
    return (
      <EmptyState icon="activity" title={METRICS.offTitle}>
        {METRICS.offText}
      </EmptyState>
    );
  }
  const failure = error !== null && (
    <ErrorNotice
      title={now === undefined ? METRICS.loadFailed : METRICS.stale}
      error={error}
      onRetry={reload}
    />
  );
  if (now === undefined) return failure === false ? <Skeleton rows={4} /> : failure;
  return (
    <>
      {failure}
      <p class="muted metrics-about">
        {now.version !== null && <span>{METRICS.version(now.version)}</span>}
        {now.startedAt !== null && (
          <span>
            {METRICS.started} <RelativeTime at={now.startedAt * 1000} />
          </span>
        )}
        <span>{figures.length < 2 ? METRICS.collecting : METRICS.updated}</span>
      </p>
      <Tiles figures={figures} now={now} />
    </>
  );
}

const rateText = (value: number): string => METRICS.perSecond(shortNumber(value));
const cpuText = (value: number): string => METRICS.percentOfCore(shortNumber(value * 100));

function Tiles({ figures, now }: { readonly figures: readonly Figures[]; readonly now: Figures }) {
  const of = (value: (each: Figures) => number | null): (number | null)[] => figures.map(value);
  return (
    <section class="metrics-tiles" aria-label={METRICS.label}>
      <MetricTile
        title={METRICS.sessions}
        lines={[{ values: of(({ sessions }) => sessions), text: shortNumber }]}
        note={<StateBar states={now.sessionsByState} />}
      />
      <MetricTile
        title={METRICS.requests}
        lines={[{ values: of(({ requests }) => requests), text: rateText }]}
        note={now.serverErrors === null ? undefined : METRICS.errors(shortNumber(now.serverErrors))}
        isWrong={(now.serverErrors ?? 0) > 0}
      />
      <MetricTile
        title={METRICS.latency}
        lines={[
          { name: METRICS.p50, values: of(({ latencyHalf }) => latencyHalf), text: durationText },
          { name: METRICS.p99, values: of(({ latencyMost }) => latencyMost), text: durationText },
        ]}
        note={METRICS.latencyNote}
      />
      <MetricTile
        title={METRICS.loop}
        lines={[{ values: of(({ loopDelay }) => loopDelay), text: durationText }]}
        note={METRICS.loopNote}
        isWrong={now.loopDelay > SLOW_LOOP_SECONDS}
      />
      <MetricTile
        title={METRICS.serverMemory}
        lines={[{ values: of(({ serverMemory }) => serverMemory), text: sizeText }]}
        note={METRICS.heap(sizeText(now.heapUsed))}
      />
      <MetricTile
        title={METRICS.agentMemory}
        lines={[{ values: of(({ sessionMemory }) => sessionMemory), text: sizeText }]}
        note={METRICS.processes(now.sessionProcesses)}
      />
      <MetricTile
        title={METRICS.cpu}
        lines={[
          { name: METRICS.cpuServer, values: of(({ serverCpu }) => serverCpu), text: cpuText },
          { name: METRICS.cpuSessions, values: of(({ sessionCpu }) => sessionCpu), text: cpuText },
        ]}
        note={METRICS.cpuNote}
      />
      <MetricTile
        title={METRICS.store}
        lines={[{ values: of(({ statements }) => statements), text: rateText }]}
        note={
          now.storeErrors > 0
            ? METRICS.storeErrors(now.storeErrors)
            : now.statementMost === null
              ? undefined
              : METRICS.storeNote(durationText(now.statementMost))
        }
        isWrong={now.storeErrors > 0}
      />
      <MetricTile
        title={METRICS.streams}
        lines={[{ values: of(({ openStreams }) => openStreams), text: shortNumber }]}
        note={METRICS.streamsNote}
      />
      <MetricTile
        title={METRICS.starts}
        lines={[{ values: of(({ starts }) => starts), text: shortNumber }]}
        note={METRICS.startsNote(now.failedStarts)}
      />
      <MetricTile
        title={METRICS.wrongKeys}
        lines={[{ values: of(({ wrongKeys }) => wrongKeys), text: shortNumber }]}
        note={METRICS.wrongKeysNote(now.limitedAddresses)}
        isWrong={now.limitedAddresses > 0}
      />
    </section>
  );
}

/** From there on people notice. */
const SLOW_LOOP_SECONDS = 0.1;
