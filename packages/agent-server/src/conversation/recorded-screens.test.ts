import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { formatAgentMessage } from './formatting/pipeline.ts';
import { findDialog, isBusy, isReady } from './readiness.ts';
import { screenDiff } from './screen-diff.ts';
import { isWorkingTitle } from './turn-status.ts';

const FOLDER = fileURLToPath(new URL('../../test/fixtures/screens/', import.meta.url));

const recordings = z.array(
  z.object({
    screen: z.string(),
    title: z.string(),
    state: z.enum(['ready', 'busy', 'dialog']),
    inputLine: z.string().optional(),
    user: z.string().optional(),
    answer: z.string().optional(),
  }),
);

/** As the terminal gives it: padded rows, most of them blank. */
function screenOf(folder: string, name: string): string {
  const rows = readFileSync(`${FOLDER}${folder}/${name}`, 'utf8').split('\n');
  return Array.from({ length: 1000 }, (_, i) => `${(rows[i] ?? '').padEnd(80)}\n`).join('');
}

/** The programs wrap long lines, and render Markdown. */
function words(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

const withoutTrailingBlanks = (text: string): string => text.replaceAll(/ +$/gm, '');

/** A text field; it is not ready, which keeps messages away. */
const WITHOUT_CHOICES = 'api-key-dialog.txt';

describe.each(['gemini/vt100', 'gemini/truecolor', 'qwen/vt100'])('recorded screens of %s', (folder) => {
  const index = recordings.parse(JSON.parse(readFileSync(`${FOLDER}${folder}/index.json`, 'utf8')));

  test.each(index)('AA-074, AA-120: $screen is $state', ({ screen: name, title, state }) => {
    const screen = screenOf(folder, name);
    expect(isReady('gemini', screen)).toBe(state !== 'dialog');
    expect(isBusy('gemini', screen)).toBe(state === 'busy');
    for (const type of ['gemini', 'custom'] as const) {
      expect(findDialog(type, screen) !== null).toBe(state === 'dialog' && name !== WITHOUT_CHOICES);
    }
    if (state !== 'busy') expect(isWorkingTitle(title)).toBe(false);
  });

  const answered = index.flatMap(({ screen, user, answer }, i) => {
    const before = index
      .slice(0, i)
      .findLast((entry) => entry.state === 'ready' && entry.inputLine === undefined);
    return user === undefined || answer === undefined || screen.includes('markdown') || before === undefined
      ? []
      : [{ screen, user, answer, before: before.screen }];
  });
  test.each(answered)(
    'AA-112: $screen holds the answer and nothing else',
    ({ screen, user, answer, before }) => {
      const shown = screenDiff(screenOf(folder, before), screenOf(folder, screen), 'gemini');
      const message = withoutTrailingBlanks(formatAgentMessage('gemini', shown, user));
      if (answer.split('\n').every((line) => line.length < 70)) expect(message).toBe(answer);
      else expect(words(message)).toBe(words(answer));
    },
  );
});
