import { z } from 'zod';

/** Answer when something with an id was taken back. */
export const revocationSchema = z.object({ message: z.string(), id: z.string() }).meta({ id: 'Revocation' });
