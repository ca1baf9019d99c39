import { z } from 'zod';
import { plainText } from '../plain-text.ts';
import { Secret } from './secret.ts';

/** One API key, inline in the configuration or in a keys file (proxy-api section 3). */
export const apiKeyEntry = z.strictObject({
  key: z
    .string()
    .transform((value) => new Secret(value))
    .describe('The secret. An empty one never matches.'),
  user_id: plainText().min(1).describe('Owner name given to what this key creates.'),
  role: z.string().default('user').describe('Only admin has meaning: it may use the sessions of everybody.'),
  permissions: z.array(z.string()).default([]).describe('Permission names, or * for all of them.'),
  created_at: z.string().optional().describe('For people; not read.'),
  expires_at: z
    .string()
    .optional()
    .describe(
      'RFC 3339 time after which the key is refused; a text that is no such time refuses it at once.',
    ),
});

/** The content of `auth.keys_file`. */
export const keysFileSchema = z.strictObject({ api_keys: z.array(apiKeyEntry) });

/** An entry as parsed. */
export interface ApiKeyEntry extends Readonly<Omit<z.output<typeof apiKeyEntry>, 'permissions'>> {
  readonly permissions: readonly string[];
}
