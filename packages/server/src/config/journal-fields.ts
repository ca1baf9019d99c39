import { z } from 'zod';
import { bytes, noLimitWhenZero } from './value-types.ts';

/** Fields of the group `journal`; see the note on top of the schema for what `meta` says. */
export const journal = z.strictObject({
  session_bytes: bytes(65_536)
    .default(16 * 1024 ** 2)
    .describe('Most bytes of events that are kept of a session; the oldest go first. Messages stay.'),
  retention_hours: z
    .number()
    .min(0)
    .max(100_000)
    .default(720)
    .transform(noLimitWhenZero)
    .describe('How long events are kept, with their session at most. 0 = as long as that. Messages stay.'),
});
