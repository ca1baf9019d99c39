import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './build-if-changed.ts';

/** What the authors of a bundled package ask to be published with it. */
export interface Notice {
  readonly name: string;
  readonly version: string;
  /** SPDX identifier of the licence, as the package states it; empty when it states none. */
  readonly licence: string;
  /** Text of the licence, with the authors' names; empty when the package has no such file. */
  readonly text: string;
}

const HEADING = /^## (\S+) - (\d\S*)(?: \((.+)\))?$/mu;

/** Reads the file that Vite writes beside a bundle (`build.license`). */
export function readNotices(file: string): readonly Notice[] {
  const [, ...parts] = file.split(HEADING);
  return Array.from({ length: parts.length / 4 }, (_, index) => {
    const [name = '', version = '', licence = '', text = ''] = parts.slice(index * 4);
    return { name, version, licence, text: text.trim() };
  });
}

/**
 * The same file, complete: a package that says only in its `package.json` who has written it and that its licence is
 * MIT gets that licence's text.
 * @throws Error when a package says less; somebody has to look at it then.
 */
export async function withAllNotices(file: string): Promise<string> {
  const terms = await mitTerms();
  let complete = file;
  for (const { name, version, licence, text } of readNotices(file)) {
    if (text !== '') continue;
    const heading = `## ${name} - ${version} (${licence})\n`;
    const author = licence === 'MIT' ? await authorOf(name, version) : null;
    if (author === null) throw new Error(`${name} ${version} is bundled, and has no notice`);
    complete = complete.replace(heading, () => `${heading}\nCopyright (c) ${author}\n\n${terms}\n`);
  }
  return complete;
}

async function authorOf(name: string, version: string): Promise<string | null> {
  const manifest: unknown = JSON.parse(
    await readFile(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'),
  );
  if (typeof manifest !== 'object' || manifest === null) return null;
  if (!('version' in manifest) || manifest.version !== version || !('author' in manifest)) return null;
  return typeof manifest.author === 'string' ? manifest.author : null;
}

/** Of our own licence, which is the same. */
async function mitTerms(): Promise<string> {
  const text = await readFile(join(ROOT, 'LICENSE'), 'utf8');
  return text.slice(text.indexOf('Permission is hereby granted')).trim();
}
