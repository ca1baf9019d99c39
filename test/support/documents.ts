import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A block of code in a document. */
export interface CodeBlock {
  /** Name in the `<!-- tested: NAME -->` line right before it; `null` without one. */
  readonly name: string | null;
  readonly language: string;
  readonly text: string;
}

/** The repository's folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** All fenced code blocks of a Markdown file, named relative to the repository. */
export async function codeBlocks(file: string): Promise<readonly CodeBlock[]> {
  const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
  const fence = /^(?:<!-- tested: (.+) -->\n)?```(\w*)\n([^]*?)^```$/gmu;
  return Array.from(text.matchAll(fence), ([, name, language = '', content = '']) => ({
    name: name ?? null,
    language,
    text: content,
  }));
}

/** The text of the one block with this name. */
export async function testedBlock(file: string, name: string): Promise<string> {
  const found = (await codeBlocks(file)).filter((block) => block.name === name);
  const [block] = found;
  if (block === undefined || found.length > 1) {
    throw new Error(`${file} has ${found.length} blocks marked "tested: ${name}", expected one`);
  }
  return block.text;
}
