import { z } from 'zod';
import { corrupted, type SavedState, STATE_VERSION, StateFileError } from './state-file.ts';

/** Absent members mean what they mean to the reference: zero, empty, false, no messages (AA-148). */
const fileSchema = z.object({
  messages: z
    .array(
      z.object({
        id: z.int().min(0),
        message: z.string(),
        role: z.enum(['agent', 'user']),
        time: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
      }),
    )
    .nullish(),
  initial_prompt: z.string().nullish(),
  initial_prompt_sent: z.boolean().nullish(),
});
const versionSchema = z.object({ version: z.number().nullish() });

/**
 * Takes the content of a state file, parsed as JSON.
 * @throws {StateFileError} when it is no state, or one of another version.
 */
export function parseState(data: unknown): SavedState {
  const version = versionSchema.safeParse(data);
  if (!version.success) throw corrupted(z.prettifyError(version.error), version.error);
  if (version.data.version !== STATE_VERSION) {
    const given = version.data.version ?? 0;
    throw new StateFileError(`unsupported state file version ${given} (expected ${STATE_VERSION})`);
  }
  const file = fileSchema.safeParse(data);
  if (!file.success) throw corrupted(z.prettifyError(file.error), file.error);
  return {
    messages: (file.data.messages ?? []).map(({ id, message, role, time }) => ({
      id,
      role,
      content: message,
      time,
    })),
    initialPrompt: file.data.initial_prompt ?? '',
    initialPromptSent: file.data.initial_prompt_sent ?? false,
  };
}
