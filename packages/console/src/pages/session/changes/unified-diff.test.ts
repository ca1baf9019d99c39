import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseUnifiedDiff } from './unified-diff.ts';

const TEXT = String.raw`diff --git a/src/app.ts b/src/app.ts
index 1111111..2222222 100644
--- a/src/app.ts
+++ b/src/app.ts
@@ -1,3 +1,3 @@ function main() {
 one
-two
+2
 three
\ No newline at end of file
diff --git a/old name.txt b/new name.txt
similarity index 100%
rename from old name.txt
rename to new name.txt
diff --git a/logo.png b/logo.png
index 1111111..2222222 100644
Binary files a/logo.png and b/logo.png differ
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git "a/\303\274n\"\\.txt" "b/\303\274n\"\\.txt"
new file mode 100644
index 0000000..2222222
--- /dev/null
+++ "b/\303\274n\"\\.txt"
@@ -0,0 +1 @@
++++ not a header
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
--- not a header
`;

describe('the reader of differences', () => {
  test('finds every file by its name, whatever happened to it', () => {
    expect(parseUnifiedDiff(TEXT).map(({ path }) => path)).toEqual([
      'src/app.ts',
      'new name.txt',
      'logo.png',
      'run.sh',
      String.raw`ün"\.txt`,
      'gone.txt',
    ]);
  });

  test('counts lines on both sides', () => {
    const [section] = parseUnifiedDiff(TEXT);
    expect(section?.lines.map(({ kind, before, after, text }) => [kind, before, after, text])).toEqual([
      ['hunk', null, null, '@@ -1,3 +1,3 @@ function main() {'],
      ['context', 1, 1, 'one'],
      ['removed', 2, null, 'two'],
      ['added', null, 2, '2'],
      ['context', 3, 3, 'three'],
      ['note', null, null, 'No newline at end of file'],
    ]);
  });

  test('takes content that looks like a header for content', () => {
    const sections = parseUnifiedDiff(TEXT);
    expect(sections[4]?.lines[1]).toMatchObject({ kind: 'added', text: '+++ not a header' });
    expect(sections[5]?.lines[1]).toMatchObject({ kind: 'removed', text: '-- not a header' });
  });

  test('tells of files that are not text, and of modes', () => {
    const sections = parseUnifiedDiff(TEXT);
    expect(sections[2]?.isBinary).toBe(true);
    expect(sections[3]?.mode).toEqual({ before: '100644', after: '100755' });
  });

  test('reads conflicts, which have two signs', () => {
    const [section] = parseUnifiedDiff(
      'diff --cc a.txt\nindex 1,2..3\n--- a/a.txt\n+++ b/a.txt\n@@@ -1,1 -1,1 +1,3 @@@\n++<<<<<<< ours\n +x\n',
    );
    expect(section).toMatchObject({ path: 'a.txt' });
    expect(section?.lines.map(({ kind, text }) => [kind, text]).slice(1)).toEqual([
      ['added', '<<<<<<< ours'],
      ['added', 'x'],
    ]);
  });

  test('never fails, and gives back every line of a hunk', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseUnifiedDiff(text);
        parseUnifiedDiff(`diff --git "a/${text}" "b/${text}"\n@@ -1 +1 @@\n${text}`);
      }),
    );
    const line = fc.stringMatching(/^[^\n]*$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('+', '-', ' '), line)), (lines) => {
        const text = lines.map(([sign, content]) => `${sign}${content}\n`).join('');
        const [section] = parseUnifiedDiff(`diff --git a/x b/x\n@@ -1 +1 @@\n${text}`);
        expect(section?.lines.slice(1).map((each) => each.text)).toEqual(lines.map(([, content]) => content));
      }),
    );
  });
});
