import { z } from 'zod';

/** `host:port`, IPv6 in brackets. */
const LISTEN_ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;

const listenAddress = z
  .string()
  .refine(
    (text) => text === '' || addressOf(text) !== null,
    'expected an address and a port, such as 127.0.0.1:9464',
  )
  .default('')
  .transform((text) => (text === '' ? null : addressOf(text)));

function addressOf(text: string): { host: string; port: number } | null {
  const [, six, other, port] = LISTEN_ADDRESS.exec(text) ?? [];
  const host = six ?? other;
  return host === undefined || Number(port) > 65_535 ? null : { host, port: Number(port) };
}

/** What the server tells about itself. */
export const metrics = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Measure, and answer `GET /metrics` to administrators with the permission `metrics:read`.'),
  listen: listenAddress.meta({
    description:
      'Address and port at which `/metrics` is answered to everybody, without a key, as 127.0.0.1:9464. Empty: nowhere.',
    sample: '127.0.0.1:9464',
  }),
  session_labels: z
    .boolean()
    .default(false)
    .describe(
      'Show memory and processor time of every session with its id, not only of all sessions of an agent.',
    ),
});

/** Which requests have a line in the log. */
export const accessLog = z
  .enum(['off', 'sampled', 'all'])
  .default('off')
  .describe(
    'Requests that have a line in the log: none, failed ones and a sample of the others, or all. Never with path, query or body.',
  );

/** How many of those that went well. */
export const accessLogSampleRate = z
  .number()
  .min(0)
  .max(1)
  .default(0.01)
  .describe('Part of the requests that went well of which `access_log: sampled` has a line.');
