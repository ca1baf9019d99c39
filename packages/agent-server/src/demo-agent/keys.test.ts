import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyParser } from './keys.ts';
import type { Key } from './keys.ts';

function keysOf(...pieces: readonly string[]): readonly Key[] {
  const parser = new KeyParser();
  const keys = pieces.flatMap((piece) => [...parser.feed(piece)]);
  return [...keys, ...parser.flush()];
}

/** Consecutive texts put together: how they are cut depends on how they arrived. */
function merged(keys: readonly Key[]): readonly Key[] {
  const out: Key[] = [];
  for (const key of keys) {
    const last = out.at(-1);
    if (key.kind === 'text' && last?.kind === 'text')
      out[out.length - 1] = { ...key, text: last.text + key.text };
    else out.push(key);
  }
  return out;
}

describe('KeyParser', () => {
  test('tells text, editing keys and sequences apart', () => {
    expect(keysOf('hé\x08\x7f\r\n\x15\x03\x04\x1b[A\x1bOB\x1b[3~')).toEqual([
      { kind: 'text', text: 'hé' },
      ...['backspace', 'backspace', 'enter', 'newline', 'delete-to-start', 'interrupt', 'end-of-input'].map(
        (name) => ({ kind: 'key', name }),
      ),
      ...['up', 'down', 'delete'].map((name) => ({ kind: 'key', name })),
    ]);
  });

  test('AA-083: takes a message as agentapi types it: trick, paste, Enter', () => {
    expect(keysOf('x\b', '\x1b[200~', 'one\ntwo \x1b[31m\x03', '\x1b[201~', '\r')).toEqual([
      { kind: 'text', text: 'x' },
      { kind: 'key', name: 'backspace' },
      { kind: 'paste', text: 'one\ntwo \x1b[31m\x03' },
      { kind: 'key', name: 'enter' },
    ]);
  });

  test('every line end of a paste is a line feed', () => {
    expect(keysOf('\x1b[200~a\r\nb\rc\nd\x1b[201~')).toEqual([{ kind: 'paste', text: 'a\nb\nc\nd' }]);
  });

  test('a lone Escape is a key once nothing has followed', () => {
    const parser = new KeyParser();
    expect(parser.feed('\x1b')).toEqual([]);
    expect(parser.isWaiting).toBe(true);
    expect(parser.flush()).toEqual([{ kind: 'key', name: 'escape' }]);
    expect(parser.isWaiting).toBe(false);
    expect(parser.flush()).toEqual([]);
  });

  test('an unknown or broken sequence is dropped, what follows is not', () => {
    expect(keysOf('\x1b[99;5~a\x1b[?1;2cb')).toEqual([
      { kind: 'text', text: 'a' },
      { kind: 'text', text: 'b' },
    ]);
    expect(keysOf('\x1b[1\r')).toContainEqual({ kind: 'key', name: 'enter' });
    expect(keysOf('\x1b\x1b[A')).toEqual([
      { kind: 'key', name: 'escape' },
      { kind: 'key', name: 'up' },
    ]);
  });

  test('whatever arrives, in whatever pieces, gives the same keys', () => {
    const piece = fc.constantFrom(
      'a',
      'é',
      '😀',
      '\r',
      '\b',
      '\x1b[A',
      '\x1b[200~p\nq\x1b[201~',
      '\x1b[200~\x1b[201~',
      '\x1b[3~',
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat(200)), (pieces, cuts) => {
        const input = pieces.join('');
        const places = [
          0,
          ...cuts.map((cut) => cut % (input.length + 1)).toSorted((a, b) => a - b),
          input.length,
        ];
        const parts = places.slice(1).map((end, index) => input.slice(places[index], end));
        expect(merged(keysOf(...parts))).toEqual(merged(keysOf(input)));
      }),
    );
  });

  test('no input makes it hang or throw', () => {
    const char = fc.constantFrom('\x1b', '[', 'O', '2', '0', '~', ';', 'A', '\r', '\x00', 'é');
    fc.assert(
      fc.property(fc.array(fc.string({ unit: char })), (pieces) => {
        expect(keysOf(...pieces).length).toBeLessThanOrEqual(pieces.join('').length);
      }),
    );
  });
});
