import { z } from 'zod';

/**
 * A text that every store keeps as it is: without NUL, which PostgreSQL refuses, and without halves of surrogate
 * pairs, which have no bytes – two names must never become one.
 */
export function plainText(): z.ZodString {
  return z.string().refine((text) => !isBroken(text), 'must not contain NUL characters or broken Unicode');
}

/** Whether a text is none that every store keeps. */
export function isBroken(text: string): boolean {
  return /[\0\p{Surrogate}]/u.test(text);
}
