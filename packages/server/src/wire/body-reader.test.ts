import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BodyReader } from './body-reader.ts';
import { MalformedMessage } from './malformed.ts';

interface Outcome {
  readonly payload: string;
  readonly done: boolean;
  /** What stands behind the body. */
  readonly rest: string;
  readonly trailers: readonly string[];
}

/** Reads a body that comes in pieces; cuts are distances between them. */
function read(reader: BodyReader, text: string, cuts: readonly number[] = []): Outcome {
  let payload = '';
  let rest = '';
  const sink = {
    onBody: (bytes: Buffer, start: number, end: number): void => {
      payload += bytes.toString('latin1', start, end);
    },
  };
  const bytes = Buffer.from(text, 'latin1');
  let from = 0;
  for (const length of [...cuts, bytes.length]) {
    const piece = bytes.subarray(from, from + length);
    from += piece.length;
    rest += piece.toString('latin1', reader.read(piece, 0, sink));
  }
  return { payload, done: reader.done, rest, trailers: reader.trailers };
}

const chunked = (text: string): Outcome => read(new BodyReader('chunked'), text);

describe('chunks', () => {
  test.each([
    ['0\r\n\r\n', ''],
    ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['00000005\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['a\r\n0123456789\r\nA\r\n0123456789\r\n00\r\n\r\n', '01234567890123456789'],
    ['5;name=value;"quoted"\r\nhello\r\n0;x\r\n\r\n', 'hello'],
    ['2\r\n\r\n\r\n0\r\n\r\n', '\r\n'],
  ])('%j is read', (text, payload) => {
    expect(chunked(`${text}behind`)).toEqual({ payload, done: true, rest: 'behind', trailers: [] });
  });

  test('fields after the last chunk are read, and never mixed with what follows', () => {
    expect(chunked('1\r\nx\r\n0\r\nA: 1\r\nB:\t2 \r\n\r\nC: 3\r\n\r\n')).toEqual({
      payload: 'x',
      done: true,
      rest: 'C: 3\r\n\r\n',
      trailers: ['A', '1', 'B', '2'],
    });
  });

  test.each([
    ...['', ' ', '-', '+5', '-5', '0x5', ' 5', '5 ', '5\t', 'g', '5g', '5,5', '"5"', '5.0'],
    ...['100000000', '000000005', '80000000', 'ffffffff', 'fffffffffffffffff'],
    ...[';x', '5;\u0000', '5;\u007f', '5;\n', '5;x\u0001', `5;${'x'.repeat(300)}`],
  ])('the size %j is refused', (size) => {
    expect(() => chunked(`${size}\r\nhello\r\n0\r\n\r\n`)).toThrow(MalformedMessage);
  });

  test.each([
    '5\nhello\r\n0\r\n\r\n',
    '5\r\r\nhello\r\n0\r\n\r\n',
    '5\rXhello\r\n0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    '5\r\nhello\n0\r\n\r\n',
    '5\r\nhello\r0\r\n\r\n',
    '5\r\nhello!\r\n0\r\n\r\n',
    '4\r\nhello\r\n0\r\n\r\n',
    '0\r\n\n',
    '0\r\nA: 1\n\r\n',
    '0\r\n A: 1\r\n\r\n',
    '0\r\nA: 1\r\n folded\r\n\r\n',
    '0\r\nA : 1\r\n\r\n',
    '0\r\nno colon\r\n\r\n',
    '0\r\n: no name\r\n\r\n',
    '0\r\nA: \u0000\r\n\r\n',
    '0\r\nA: x\ry\r\n\r\n',
    `0\r\nA: ${'x'.repeat(9_000)}\r\n\r\n`,
  ])('%j is refused', (text) => {
    expect(() => chunked(text)).toThrow(MalformedMessage);
  });
});

test('a body with a length ends exactly there', () => {
  expect(read(new BodyReader('length', 5), 'hello, you')).toEqual({
    payload: 'hello',
    done: true,
    rest: ', you',
    trailers: [],
  });
  expect(read(new BodyReader('length', 0), 'x')).toMatchObject({ done: true, rest: 'x' });
  expect(read(new BodyReader('none'), 'x')).toMatchObject({ done: true, rest: 'x' });
  expect(read(new BodyReader('until-close'), 'all of it')).toMatchObject({ done: false, rest: '' });
});

test('however the bytes are cut, the same is read, and the same is refused', () => {
  const size = fc.oneof(
    fc.constantFrom('0', '1', '5', '5;x=y', 'A', '5 ', 'x', ''),
    fc.nat(12).map((n) => n.toString(16)),
  );
  const data = fc.string({ maxLength: 12 });
  const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '');
  const chunk = fc.oneof(
    data.map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`),
    fc.tuple(size, end, data, end).map((parts) => parts.join('')),
  );
  const trailer = fc.constantFrom('', '', 'A: 1\r\n', ' x\r\n', 'A: 1\n');
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 4 }),
      trailer,
      fc.array(fc.nat(6), { maxLength: 40 }),
      (chunks, fields, cuts) => {
        const text = Buffer.from(`${chunks.join('')}0\r\n${fields}\r\nbehind`).toString('latin1');
        const outcome = (pieces: readonly number[]): unknown => {
          try {
            return read(new BodyReader('chunked'), text, pieces);
          } catch (error) {
            return error instanceof MalformedMessage ? 'refused' : error;
          }
        };
        expect(outcome(cuts)).toEqual(outcome([]));
      },
    ),
    { numRuns: 2_000 },
  );
});
