import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './documents.ts';

/** One instruction of a Dockerfile, its lines joined. */
export interface Instruction {
  /** In capitals, such as `RUN`. */
  readonly name: string;
  readonly value: string;
}

/** The instructions of the repository's Dockerfile, one list for each stage; the first of each is its `FROM`. */
export async function dockerfileStages(): Promise<readonly (readonly Instruction[])[]> {
  const text = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  const lines = text.split('\n').filter((line) => !/^\s*#/u.test(line));
  const joined = lines.join('\n').replaceAll(/\\\n\s*/gu, '');
  const stages: Instruction[][] = [];
  for (const line of joined.split('\n')) {
    if (line.trim() === '') continue;
    const [, name, value] = /^([A-Z]+)\s+(.*)$/u.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`not an instruction: ${line}`);
    if (name === 'FROM') stages.push([]);
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`before the first FROM: ${line}`);
    stage.push({ name, value });
  }
  return stages;
}

/** The files that `COPY . .` takes, of those that belong to the repository: what .dockerignore leaves. */
export async function dockerContext(files: readonly string[]): Promise<readonly string[]> {
  const text = await readFile(join(ROOT, '.dockerignore'), 'utf8');
  const rules = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const matchers = rules.map((rule) => {
    const isException = rule.startsWith('!');
    const pattern = rule
      .slice(isException ? 1 : 0)
      .replaceAll(/[.+^$(){}|[\]]/gu, String.raw`\$&`)
      .replaceAll('**/', '(?:.*/)?')
      .replaceAll('**', '.*')
      .replaceAll(/(?<![.)])\*/gu, '[^/]*');
    // A folder stands for everything in it.
    return { isException, pattern: new RegExp(`^${pattern}(?:/.*)?$`, 'u') };
  });
  return files.filter((file) => matchers.findLast(({ pattern }) => pattern.test(file))?.isException === true);
}
