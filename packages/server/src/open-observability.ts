import type { Authenticator } from './auth/authenticate.ts';
import { ConfigError } from './config/config-error.ts';
import type { Config } from './config/schema.ts';
import type { Cors } from './cors.ts';
import { MetricsListener } from './http/metrics-listener.ts';
import type { MetricsText } from './http/metrics-listener.ts';
import { OriginGuard } from './http/origin-guard.ts';
import type { Log } from './log.ts';
import { openObservers } from './observability/observers.ts';
import type { Observers } from './observability/observers.ts';
import type { Conversations } from './open-conversations.ts';
import type { Runtime } from './runtime/runtime.ts';
import type { Sessions } from './sessions/manager.ts';
import type { Recovery } from './sessions/recover.ts';
import { packageVersion } from './version.ts';

/** What is asked for the metrics, once it is there. */
export interface ObservedParts {
  readonly sessions: Sessions;
  readonly runtime: Runtime;
  readonly authenticator: Authenticator;
  readonly conversations: Pick<Conversations, 'journalFigures' | 'queueFigures'>;
}

/** Metrics, spans and the access log, as the configuration wants them. */
export interface Observability extends AsyncDisposable, Omit<Observers, 'metrics' | keyof Disposable> {
  /** What `/metrics` shows; `null` when it is turned off. */
  readonly metrics: MetricsText | null;
  connect(parts: ObservedParts): void;
  recovered(recovery: Recovery): void;
  /** Answers at the address of `metrics.listen`, if there is one. @throws ConfigError when it cannot be bound. */
  listen(): Promise<void>;
}

/** Opens what the configuration wants. */
export async function openObservability(config: Config, log: Log, cors: Cors): Promise<Observability> {
  const own = log.child({ module: 'metrics' });
  const observers = await openObservers({ ...config, version: packageVersion(), log });
  const { metrics, requests, sessions, journal, queue, store } = observers;
  const { listen } = config.metrics;
  const listener =
    metrics === null || listen === null
      ? null
      : new MetricsListener({
          ...listen,
          metrics,
          guard: new OriginGuard({ host: listen.host, allowedHosts: config.allowed_hosts, cors }),
          onError: (err) => own.error({ err }, 'the metrics cannot be shown'),
        });
  return {
    metrics,
    requests,
    sessions,
    journal,
    queue,
    store,
    connect: (parts) => {
      parts.authenticator.countFailures((failure) => metrics?.authFailed(failure));
      metrics?.connect({
        sessions: () => parts.sessions.live(),
        usage: async () => parts.runtime.usage(),
        countLimited: () => parts.authenticator.countLimited(),
        conversations: {
          journal: () => parts.conversations.journalFigures(),
          queue: async () => parts.conversations.queueFigures(),
        },
      });
    },
    recovered: (recovery) => metrics?.recovered(recovery),
    listen: async () => {
      if (listener === null) return;
      const { address, port } = await listener.listen().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        throw new ConfigError([
          {
            place: 'metrics.listen',
            text: `cannot listen there (${reason}); choose another address`,
          },
        ]);
      });
      own.info({ address, port }, 'metrics are shown to everybody who reaches this address');
    },
    [Symbol.asyncDispose]: async () => {
      await listener?.[Symbol.asyncDispose]();
      observers[Symbol.dispose]();
    },
  };
}
