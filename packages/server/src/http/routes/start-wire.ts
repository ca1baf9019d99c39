import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';

/** Answer when a session was started. */
export const startReplySchema = z
  .object({ session_id: z.uuid().meta({ description: 'Id of the session.' }) })
  .meta({ id: 'StartReply' });

/** How a start is refused. */
export const START_REFUSALS: readonly ErrorCode[] = [
  'invalid_environment',
  'invalid_ref',
  'invalid_repository',
  'invalid_tags',
  'no_free_port',
  'script_not_allowed',
  'shutting_down',
  'too_many_sessions',
  'too_many_starts',
  'unknown_agent',
];
