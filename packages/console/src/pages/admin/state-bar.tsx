import { SESSION_STATES } from '@agentapi-proxy/client';
import { METRICS } from '../../texts/administration.ts';

/** How many sessions are in which state: as lengths, and in words. */
export function StateBar({ states }: { readonly states: ReadonlyMap<string, number> }) {
  const shown = SESSION_STATES.flatMap((state) => {
    const count = states.get(state) ?? 0;
    return count === 0 ? [] : [{ state, count }];
  });
  if (shown.length === 0) return <span>{METRICS.noSessions}</span>;
  return (
    <div class="state-bar">
      <div class="state-bar-parts" aria-hidden="true">
        {shown.map(({ state, count }) => (
          <span key={state} data-state={state} style={{ flexGrow: count }} />
        ))}
      </div>
      <ul role="list">
        {shown.map(({ state, count }) => (
          <li key={state}>
            <span class="state-bar-key" data-state={state} aria-hidden="true" />
            {count} {METRICS.states[state]}
          </li>
        ))}
      </ul>
    </div>
  );
}
