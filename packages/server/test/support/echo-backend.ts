import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { z } from 'zod';
import { exchange, startBackend } from '../proxy-harness.ts';

const echoSchema = z.object({
  method: z.string(),
  url: z.string(),
  headers: z.array(z.string()),
  bytes: z.number(),
  sha256: z.string(),
});
export type Echo = z.infer<typeof echoSchema>;

/** What a backend of {@link startEcho} has told. */
export function readEcho(answer: string): Echo {
  return echoSchema.parse(JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)));
}

/** Answers with what arrived, as JSON. */
export function startEcho() {
  return startBackend((req, res) => {
    const hash = createHash('sha256');
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    req.on('end', () => {
      const echo: Echo = {
        method: req.method ?? '',
        url: req.url ?? '',
        headers: req.rawHeaders,
        bytes,
        sha256: hash.digest('hex'),
      };
      res.setHeader('x-method', echo.method);
      res.end(JSON.stringify(echo));
    });
  });
}

/** The values of a header in a raw list of names and values. */
export function values(headers: readonly string[], name: string): string[] {
  return headers.filter((_value, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name);
}

/** What arrived of a request. */
export async function echoed(port: number, head: string, body = ''): Promise<Echo> {
  const answer = await exchange(port, `${head}Connection: close\r\n\r\n${body}`);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  return readEcho(answer);
}
