import { expect, test } from 'vitest';
import { MetricsHistory } from './metrics-history.ts';

const text = (started: number, requests: number, fast: number): string => `
process_start_time_seconds ${started}
agentapi_proxy_requests_total{status="200"} ${requests}
agentapi_proxy_request_duration_seconds_bucket{le="0.01"} ${fast}
agentapi_proxy_request_duration_seconds_bucket{le="+Inf"} ${requests}
agentapi_proxy_sessions{state="running",agent="demo"} 2
agentapi_proxy_sessions{state="starting",agent="demo"} 1
`;

test('rates come with the second reading, from the time between them', () => {
  const history = new MetricsHistory();
  const first = history.add(text(1, 100, 100), 0);
  expect(first).toMatchObject({ sessions: 3, requests: null, latencyHalf: null, startedAt: 1 });
  expect(first.sessionsByState.get('running')).toBe(2);
  const second = history.add(text(1, 150, 150), 5_000);
  expect(second.requests).toBe(10);
  expect(second.latencyHalf).toBe(0.005);
  expect(history.figures).toEqual([first, second]);
});

test('a server that has started again is no reason for a jump', () => {
  const history = new MetricsHistory();
  history.add(text(1, 100, 100), 0);
  expect(history.add(text(2, 5, 5), 5_000).requests).toBeNull();
  expect(history.add(text(2, 10, 10), 10_000).requests).toBe(1);
});

test('quantiles are those of the last minute', () => {
  const history = new MetricsHistory();
  history.add(text(1, 1_000, 1_000), 0);
  history.add(text(1, 1_100, 1_000), 70_000);
  history.add(text(1, 1_200, 1_100), 75_000);
  // All of the last five seconds were fast; those before are forgotten.
  expect(history.figures.at(-1)?.latencyMost).toBeCloseTo(0.0099);
});

test('what is kept does not grow for ever', () => {
  const history = new MetricsHistory();
  for (let index = 0; index < 500; index += 1) history.add(text(1, index, index), index * 5_000);
  expect(history.figures.length).toBe(360);
});
