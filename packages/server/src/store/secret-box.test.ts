import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Keyring, SealKey } from './keyring.ts';
import { keyIdOf, openWith, SecretBox } from './secret-box.ts';
import { StoreError } from './store-error.ts';

const place = { table: 'sessions', id: 'id-1', field: 'start' };

function newKeys(count: number): readonly SealKey[] {
  return Array.from({ length: count }, () => new SealKey(randomBytes(32)));
}

/** The kind of StoreError that opening gives; `null` when it opens. */
function refusal(keyring: Keyring, envelope: string, at = place): string | null {
  try {
    openWith(keyring, envelope, at);
    return null;
  } catch (error) {
    if (error instanceof StoreError) return error.kind;
    throw error;
  }
}

describe('sealing', () => {
  test('DF-10: any text comes back, and only its envelope is seen', async () => {
    const box = new SecretBox(new Keyring(newKeys(2)));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), fc.string(), async (text, id, field) => {
        const at = { table: 'profiles', id, field };
        const envelope = box.seal(text, at);
        expect(await box.open(envelope, at)).toBe(text);
        expect(envelope).toMatch(/^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+$/);
        expect(keyIdOf(envelope)).toBe(box.keyring.newest.id);
      }),
    );
  });

  test('PX-170: the same text never gives the same envelope', () => {
    const box = new SecretBox(new Keyring(newKeys(1)));
    const envelopes = Array.from({ length: 500 }, () => box.seal('same', place));
    expect(new Set(envelopes).size).toBe(500);
  });

  test('PX-170: any change of an envelope is detected', () => {
    const keyring = new Keyring(newKeys(2));
    const envelope = new SecretBox(keyring).seal('a secret of some length', place);
    fc.assert(
      fc.property(
        fc.nat(envelope.length - 1),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
        (at, other) => {
          const changed = `${envelope.slice(0, at)}${other}${envelope.slice(at + 1)}`;
          fc.pre(changed !== envelope);
          expect(refusal(keyring, changed)).toMatch(/^(corrupt|key)$/);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('every single flipped bit is detected', () => {
    const keyring = new Keyring(newKeys(1));
    const envelope = new SecretBox(keyring).seal('secret', place);
    const [version, id, body = ''] = envelope.split('.');
    const bytes = Buffer.from(body, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(refusal(keyring, `${version}.${id}.${changed.toString('base64url')}`)).toBe('corrupt');
    }
  });

  test('an envelope opens in no other record, field or table', () => {
    const keyring = new Keyring(newKeys(1));
    const envelope = new SecretBox(keyring).seal('secret', place);
    fc.assert(
      fc.property(fc.record({ table: fc.string(), id: fc.string(), field: fc.string() }), (other) => {
        expect(refusal(keyring, envelope, other)).toBe('corrupt');
      }),
    );
    // Parts that only together read alike.
    expect(refusal(keyring, envelope, { ...place, id: 'id-', field: '1start' })).toBe('corrupt');
    expect(refusal(keyring, envelope, place)).toBeNull();
  });

  test('a key that is not there is named by its id, and the text is not handed out', () => {
    const [first, second] = newKeys(2);
    if (first === undefined || second === undefined) throw new Error('no keys');
    const envelope = new SecretBox(new Keyring([first])).seal('secret', place);
    expect(() => openWith(new Keyring([second]), envelope, place)).toThrow(
      `sessions.start of id-1 is sealed with the encryption key ${first.id}`,
    );
    expect(refusal(new Keyring([first, second]), envelope)).toBeNull();
  });

  test('the last key seals; a key that is met later is read in, and does not seal', async () => {
    const [first, second] = newKeys(2);
    if (first === undefined || second === undefined) throw new Error('no keys');
    const newer = new SecretBox(new Keyring([first, second]));
    expect(newer.keyring.newest.id).toBe(second.id);
    let reads = 0;
    const older = new SecretBox(new Keyring([first]), () => {
      reads += 1;
      return Promise.resolve(new Keyring([first, second]));
    });
    expect(await older.open(newer.seal('secret', place), place)).toBe('secret');
    expect(await older.open(newer.seal('more', place), place)).toBe('more');
    expect(reads).toBe(1);
    expect(keyIdOf(older.seal('own', place))).toBe(first.id);
  });
});

describe('keys', () => {
  test('a key has 32 bytes and never prints', () => {
    const bytes = randomBytes(32);
    const key = new SealKey(bytes);
    expect(() => new SealKey(bytes.subarray(1))).toThrow(RangeError);
    expect(JSON.stringify(key) + inspect(key, { showHidden: true })).not.toContain(bytes.toString('hex'));
    expect(new SealKey(bytes).id).toBe(key.id);
    expect(key.reveal().equals(bytes)).toBe(true);
  });

  test('a keyring has at least one key; a repeated one counts once, at its last place', () => {
    const [first, second] = newKeys(2);
    if (first === undefined || second === undefined) throw new Error('no keys');
    expect(() => new Keyring([])).toThrow(StoreError);
    const keyring = new Keyring([first, second, first]);
    expect(keyring.newest).toBe(first);
    expect(keyring.ids).toEqual([second.id, first.id]);
    expect(keyring.find(second.id)).toBe(second);
    expect(keyring.find('00000000')).toBeNull();
  });
});
