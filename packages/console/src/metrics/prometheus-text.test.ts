import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketsBetween, MetricsText, quantileOf } from './prometheus-text.ts';

const TEXT = `# HELP requests_total Requests
# TYPE requests_total counter
requests_total{plane="control",status="200"} 3
requests_total{plane="control",status="503"} 1 1700000000000
requests_total{plane="a \\"quoted\\" one, with \\\\ and }",status="200"} 2.5e1
memory_bytes 1048576

not a line
d_bucket{le="0.1",x="1"} 1
d_bucket{le="1",x="1"} 3
d_bucket{le="+Inf",x="1"} 4
d_bucket{le="0.1",x="2"} 1
d_bucket{le="1",x="2"} 1
d_bucket{le="+Inf",x="2"} 1
broken NaN
`;

describe('the reader of metrics', () => {
  const metrics = new MetricsText(TEXT);

  test('adds figures up, all or some of them', () => {
    expect(metrics.sum('requests_total')).toBe(29);
    expect(metrics.sum('requests_total', { status: /^5/ })).toBe(1);
    expect(metrics.sum('memory_bytes')).toBe(1_048_576);
    expect(metrics.sum('absent')).toBe(0);
    expect(metrics.all('broken')).toEqual([]);
  });

  test('reads labels with quotes in them', () => {
    expect(metrics.by('requests_total', 'plane').get('a "quoted" one, with \\ and }')).toBe(25);
  });

  test('adds the series of a histogram up', () => {
    expect(metrics.buckets('d')).toEqual([
      { bound: 0.1, count: 2 },
      { bound: 1, count: 4 },
      { bound: Infinity, count: 5 },
    ]);
  });

  test('never fails', () => {
    fc.assert(fc.property(fc.string(), (text) => void new MetricsText(text)));
  });
});

describe('quantiles', () => {
  test('are estimated within their bucket', () => {
    const buckets = [
      { bound: 1, count: 10 },
      { bound: 2, count: 20 },
      { bound: Infinity, count: 20 },
    ];
    expect(quantileOf(buckets, 0.5)).toBe(1);
    expect(quantileOf(buckets, 0.75)).toBe(1.5);
    expect(quantileOf([{ bound: 1, count: 0 }], 0.5)).toBeNull();
    expect(quantileOf([], 0.5)).toBeNull();
  });

  test('beyond the last bound are as much as is known', () => {
    const buckets = [
      { bound: 1, count: 0 },
      { bound: Infinity, count: 3 },
    ];
    expect(quantileOf(buckets, 0.99)).toBe(1);
  });

  test('of what came since the reading before', () => {
    const before = [
      { bound: 1, count: 5 },
      { bound: Infinity, count: 5 },
    ];
    const after = [
      { bound: 1, count: 5 },
      { bound: 2, count: 8 },
      { bound: Infinity, count: 9 },
    ];
    expect(bucketsBetween(before, after).map(({ count }) => count)).toEqual([0, 8, 4]);
  });
});
