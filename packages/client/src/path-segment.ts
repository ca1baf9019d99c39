import { InvalidArgumentError } from './errors.ts';

/**
 * Encodes an id as one path segment.
 * @param what - what it is the id of, for the message
 * @throws InvalidArgumentError for what can be no id, before any request (PX-216, PX-217)
 */
export function pathSegment(what: string, id: string): string {
  if (id === '') throw new InvalidArgumentError(`The ${what} id is empty`);
  // Dot segments vanish from URLs even when encoded, and with them the end of the path before.
  if (id === '.' || id === '..') throw new InvalidArgumentError(`"${id}" is no ${what} id`);
  try {
    return encodeURIComponent(id);
  } catch {
    throw new InvalidArgumentError(`The ${what} id is not well-formed text`);
  }
}
