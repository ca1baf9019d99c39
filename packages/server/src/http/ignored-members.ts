import type { FastifyReply } from 'fastify';

/** Names the members of a request that had no effect. */
const IGNORED_HEADER = 'x-ignored-members';

/** Together, percent-encoded, they fit into the 16 KiB of headers that clients accept. */
const MAX_NAMES = 20;
const MAX_NAME_CHARS = 64;

/** Tells the caller which members of the request had no effect. */
export function nameIgnored(reply: FastifyReply, members: readonly string[]): void {
  if (members.length > 0)
    reply.header(IGNORED_HEADER, members.slice(0, MAX_NAMES).map(headerSafe).join(', '));
}

/** Member names come from the caller; a header takes printable ASCII only. */
function headerSafe(name: string): string {
  return encodeURIComponent(name.slice(0, MAX_NAME_CHARS).replaceAll(/\p{Surrogate}/gu, '\u{fffd}'));
}
