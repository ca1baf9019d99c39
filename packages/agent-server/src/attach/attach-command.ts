import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { UsageError } from '../cli-flags.ts';
import { ProcessSignals } from '../process-signals.ts';
import { reasonOf, type ProcessContext } from '../run-server.ts';
import { attach } from './attach.ts';

/**
 * Runs `attach` (agentapi section 1.7); `args` is what follows the word.
 * @returns 0 after detaching, 1 after an error, which has been told then.
 * @throws {UsageError} for an unknown flag or an argument.
 */
export async function runAttachCommand(
  program: string,
  args: readonly string[],
  context: ProcessContext,
): Promise<number> {
  const { url, 'token-file': tokenFile, help } = parseFlags(args);
  if (help) {
    context.writeOut(attachUsage(program));
    return 0;
  }
  const signals = new ProcessSignals(() => {});
  const ended = new AbortController();
  void signals.termination.then(() => ended.abort());
  try {
    const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
    await attach({
      url,
      input: context.stdin,
      output: context.stdout,
      ...(token === undefined ? {} : { token }),
      signal: ended.signal,
      warn: (text) => context.writeError(`Warning: ${text}\n`),
    });
    return 0;
  } catch (error) {
    context.writeError(`Attach failed: ${reasonOf(error)}\n`);
    return 1;
  } finally {
    signals.release();
  }
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        url: { type: 'string', short: 'u', default: 'localhost:3284' },
        'token-file': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(reasonOf(error), { cause: error });
  }
}

/** The help text of `attach`, ending with a line feed. */
export function attachUsage(program: string): string {
  return [
    'Shows the screen of a running agent and sends your keys to it; Ctrl+C detaches.',
    '',
    'Usage:',
    `  ${program} attach [flags]`,
    '',
    'Flags:',
    '  -u, --url string          URL of the server (default localhost:3284)',
    '      --token-file string   File with the token of the server',
    '  -h, --help                Show this help',
    '',
  ].join('\n');
}
