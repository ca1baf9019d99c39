import { TrustedProxies } from '../client-address.ts';
import type { Config } from '../config/schema.ts';
import type { ListenerLimits } from './listener.ts';

/** What clients may use up, as the configuration wants it. */
export function listenerLimitsOf({ limits, trusted_proxies: trusted }: Config): ListenerLimits {
  const proxies = new TrustedProxies(trusted);
  return {
    total: limits.connections,
    perAddress: limits.connections_per_address,
    exempt: (address) => proxies.trusts(address),
    times: {
      head: limits.head_seconds * 1_000,
      body: limits.body_seconds * 1_000,
      idle: limits.idle_seconds * 1_000,
      stall: limits.stall_seconds * 1_000,
    },
    loopDelayMs: limits.loop_delay_ms,
  };
}
