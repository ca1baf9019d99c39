import { z } from 'zod';

/** Answer when something with an id was taken back. */
export const revocationSchema = z
  .object({
    message: z.string().meta({ description: 'What happened, in words.' }),
    id: z.string().meta({ description: 'Of what was taken back.' }),
  })
  .meta({ id: 'Revocation' });
