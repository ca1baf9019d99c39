import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { SessionUsage } from '../runtime/runtime.ts';

/** Memory and processor time of sessions: summed by agent, and one by one where the operator wants it. */
export class UsageMetrics {
  readonly #processes: Gauge<'agent'>;
  readonly #memory: Gauge<'agent'>;
  readonly #largest: Gauge<'agent'>;
  readonly #cpu: Counter<'agent'>;
  readonly #perSession: {
    readonly memory: Gauge<'session_id' | 'agent'>;
    readonly cpu: Counter<'session_id' | 'agent'>;
  } | null;
  /** Processor time of each session that has been added to that of its agent. */
  #added = new Map<string, number>();

  /** @param sessionLabels - show each session with its id: as many series as there are sessions. */
  constructor(registry: Registry, sessionLabels: boolean) {
    const own = <Label extends string>(name: string, help: string, labelNames: Label[]) => ({
      name: `agentapi_proxy_${name}`,
      help,
      labelNames,
      registers: [registry],
    });
    this.#processes = new Gauge(own('sessions_processes', 'Processes of sessions', ['agent']));
    this.#memory = new Gauge(
      own('sessions_memory_bytes', 'Resident memory of all sessions; shared pages count more than once', [
        'agent',
      ]),
    );
    this.#largest = new Gauge(
      own('sessions_memory_largest_bytes', 'Resident memory of the session that has most', ['agent']),
    );
    this.#cpu = new Counter(own('sessions_cpu_seconds_total', 'Processor time of sessions', ['agent']));
    this.#perSession = !sessionLabels
      ? null
      : {
          memory: new Gauge(
            own('session_memory_bytes', 'Resident memory of a session', ['session_id', 'agent']),
          ),
          cpu: new Counter(
            own('session_cpu_seconds_total', 'Processor time of a session', ['session_id', 'agent']),
          ),
        };
  }

  /** Takes a sample over. @param agents - of the sessions that live, by id. */
  show(agents: ReadonlyMap<string, string>, usage: ReadonlyMap<string, SessionUsage>): void {
    const gauges = [this.#processes, this.#memory, this.#largest];
    for (const gauge of gauges) gauge.reset();
    this.#perSession?.memory.reset();
    this.#perSession?.cpu.reset();
    const largest = new Map<string, number>();
    // A session that a sample has missed must not be counted from its beginning by the next.
    const added = new Map([...this.#added].filter(([id]) => agents.has(id)));
    for (const [id, { processes, residentBytes, cpuSeconds }] of usage) {
      const agent = agents.get(id);
      if (agent === undefined) continue;
      this.#processes.inc({ agent }, processes);
      this.#memory.inc({ agent }, residentBytes);
      largest.set(agent, Math.max(largest.get(agent) ?? 0, residentBytes));
      this.#cpu.inc({ agent }, Math.max(0, cpuSeconds - (this.#added.get(id) ?? 0)));
      added.set(id, cpuSeconds);
      this.#perSession?.memory.set({ session_id: id, agent }, residentBytes);
      this.#perSession?.cpu.inc({ session_id: id, agent }, cpuSeconds);
    }
    for (const [agent, bytes] of largest) this.#largest.set({ agent }, bytes);
    this.#added = added;
  }
}
