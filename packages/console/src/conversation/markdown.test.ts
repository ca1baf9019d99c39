import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isOutside, MarkdownReader } from './markdown.ts';

const html = (text: string) =>
  new MarkdownReader()
    .blocks(text)
    .map((block) => block.html)
    .join('');

test('HTML is shown, not obeyed', () => {
  expect(html('<b onclick="x()">hi</b>')).toBe('<p>&#60;b onclick=&#34;x()&#34;&#62;hi&#60;/b&#62;</p>\n');
  expect(html('<script>\nalert(1)\n</script>')).not.toContain('<script');
});

test('images are links, so that nobody learns who reads this', () => {
  expect(html('![a cat](https://a.example/cat.png)')).toBe(
    '<p><a href="https://a.example/cat.png">a cat</a></p>\n',
  );
  expect(html('![](data:image/png;base64,AAAA)')).not.toContain('<img');
});

test('only addresses outside are links', () => {
  expect(isOutside('https://a.example')).toBe(true);
  expect(isOutside('mailto:a@b.example')).toBe(true);
  for (const address of [
    'javascript:alert(1)',
    ' javascript:x',
    'JaVaScRiPt:x',
    'data:text/html,x',
    '/sessions',
    '#a',
    '//a.example',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:x',
  ]) {
    expect({ address, isOutside: isOutside(address) }).toEqual({ address, isOutside: false });
    expect(html(`[text](<${address}>)`)).not.toContain('<a ');
  }
  expect(html('[the file](src/app.ts)')).toBe('<p>the file (<code>src/app.ts</code>)</p>\n');
});

test('what a link refers to, and what stands beside a fence, is shown too', () => {
  expect(html('[a]: https://a.example "title"')).toContain('https://a.example');
  expect(html('```ts title="a.ts"\nx\n```')).toContain('data-language="ts title=&#34;a.ts&#34;"');
});

test('a text grows block by block: those before the last one stay the same', () => {
  const reader = new MarkdownReader();
  const before = reader.blocks('# One\n\nTwo\n\nThr');
  const after = reader.blocks('# One\n\nTwo\n\nThree and more');
  expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(after).toHaveLength(3);
});

test('marks in what is no prose any more are not looked for', () => {
  expect(html('_a'.repeat(5_000))).toBe(`<p>${'_a'.repeat(5_000)}</p>\n`);
  expect(html(`**${'x'.repeat(4_000)}**`)).toContain('<strong>');
});

test('no text is too strange', () => {
  for (const piece of ['> ', '- ', '*', '[', '![', '`', '<', '|', '#', '\\', '&', '1. ', '  ']) {
    expect(new MarkdownReader().blocks(piece.repeat(5_000))).toBeDefined();
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(html(text)).not.toMatch(/<(?:script|img|iframe|svg|style|input|object)/iu);
    }),
  );
});
