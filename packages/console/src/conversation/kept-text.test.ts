import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TextStorage } from './browser-storage.ts';
import { KeptText } from './kept-text.ts';

function memory(): TextStorage & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    read: (key) => values.get(key) ?? null,
    write: (key, value) => {
      if (value === null) values.delete(key);
      else values.set(key, value);
      return true;
    },
    keys: () => [...values.keys()],
  };
}

test('drafts and messages on their way come back as they were, for each session', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, name) => {
      const storage = memory();
      const draft = { text, files: [{ name, path: `/tmp/${name}` }] };
      new KeptText(storage).saveDraft('one', draft);
      const message = { key: 'k', content: text, at: 1 };
      new KeptText(storage).addOutgoing('one', message);
      expect(new KeptText(storage).draft('one')).toEqual(draft);
      expect(new KeptText(storage).draft('two')).toEqual({ text: '', files: [] });
      expect(new KeptText(storage).outgoing('one')).toEqual([message]);
      expect(new KeptText(storage).outgoing('two')).toEqual([]);
    }),
  );
});

test('what is empty leaves nothing behind, and whoever signs out leaves nothing at all of it', () => {
  const storage = memory();
  const kept = new KeptText(storage);
  kept.saveDraft('one', { text: 'a', files: [] });
  kept.saveDraft('one', { text: '', files: [] });
  expect(storage.values.size).toBe(0);
  kept.saveDraft('one', { text: 'a', files: [] });
  kept.saveDismissed('one', 'second');
  storage.write('theme', 'dark');
  expect([...kept.dismissed('one')]).toEqual(['second']);
  kept.forgetAll();
  expect([...storage.values]).toEqual([['theme', 'dark']]);
});

test('what somebody else has put there does no harm', () => {
  const storage = memory();
  for (const value of ['{', '[]', '7', '{"text":1,"files":{}}', '[1,{"key":2}]', 'null', '"x"']) {
    for (const what of ['draft', 'outgoing.key', 'dismissed']) {
      storage.write(`agentapi-proxy.conversation.one.${what}`, value);
    }
    expect(new KeptText(storage).draft('one')).toEqual({ text: '', files: [] });
    expect(new KeptText(storage).outgoing('one')).toEqual([]);
    expect([...new KeptText(storage).dismissed('one')]).toEqual([]);
  }
});

test('tabs add and take away messages of their own, and each knows all of them in their order', () => {
  const storage = memory();
  const [tab, other] = [new KeptText(storage), new KeptText(storage)];
  tab.addOutgoing('one', { key: 'z', content: 'first', at: 1 });
  other.addOutgoing('one', { key: 'b', content: 'third', at: 3 });
  tab.addOutgoing('one', { key: 'c', content: 'second', at: 2 });
  expect(other.outgoing('one').map(({ content }) => content)).toEqual(['first', 'second', 'third']);
  tab.removeOutgoing('one', 'z');
  expect([other.isOutgoing('one', 'z'), tab.isOutgoing('one', 'b')]).toEqual([false, true]);
  expect(tab.outgoing('one').map(({ key }) => key)).toEqual(['c', 'b']);
});

test('what was put away first is forgotten first, and no more is kept than a page may see', () => {
  const kept = new KeptText(memory());
  for (let id = 0; id < 600; id += 1) kept.saveDismissed('one', String(id));
  kept.saveDismissed('one', '599');
  const dismissed = [...kept.dismissed('one')];
  expect(dismissed).toHaveLength(500);
  expect([dismissed[0], dismissed.at(-1)]).toEqual(['100', '599']);
});
