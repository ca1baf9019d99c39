import { z } from 'zod';
import { bytes, count, noLimitWhenZero, seconds } from './value-types.ts';

/** What a request, a user and a client may use up; see the head of schema.ts for how a field is written. */
export const limits = z.strictObject({
  body_bytes: bytes(1024)
    .default(1024 ** 2)
    .describe('Largest request body of the server’s own routes.'),
  proxied_body_bytes: bytes(0)
    .default(100 * 1024 ** 2)
    .transform(noLimitWhenZero)
    .describe('Largest request body passed on to an agent server. 0 = no limit.'),
  header_bytes: z
    .int()
    .min(4096)
    .max(1024 ** 2)
    .default(16_384)
    .describe('Largest request head, in bytes.'),
  headers_count: count(20, 2000).default(200).describe('Most header lines of a request.'),
  tags: count(0).default(32).describe('Most tags of a session.'),
  tag_key_chars: count(1).default(128).describe('Longest name of a tag.'),
  tag_value_chars: count(1).default(16_384).describe('Longest value of a tag.'),
  environment_entries: count(0).default(200).describe('Most variables in a request.'),
  environment_bytes: bytes(0).default(65_536).describe('Names and values of a request’s variables together.'),
  sessions_per_user: count(0)
    .default(100)
    .transform(noLimitWhenZero)
    .describe('Most sessions of one user at a time. 0 = no limit.'),
  sessions_total: count(0)
    .default(200)
    .transform(noLimitWhenZero)
    .describe('Most sessions at a time. 0 = no limit.'),
  starts_per_minute: count(0)
    .default(300)
    .transform(noLimitWhenZero)
    .describe('Most sessions that one user may start in a minute. 0 = no limit.'),
  profiles_per_user: count(0)
    .default(200)
    .transform(noLimitWhenZero)
    .describe('Most profiles of one user. 0 = no limit.'),
  api_keys_per_user: count(0)
    .default(100)
    .transform(noLimitWhenZero)
    .describe(
      'Most API keys in the store that one user has at a time; ended ones do not count. 0 = no limit.',
    ),
  shares_per_session: count(0)
    .default(100)
    .transform(noLimitWhenZero)
    .describe('Most users and links that one session is shared with at a time. 0 = no limit.'),
  queued_messages: count(1).default(100).describe('Most messages that wait for the agent of a session.'),
  connections: count(0)
    .default(20_000)
    .transform(noLimitWhenZero)
    .describe(
      'Most client connections at a time. A few more are accepted for the server’s own routes, further ones are answered with 503. 0 = no limit.',
    ),
  connections_per_address: count(0)
    .default(4_096)
    .transform(noLimitWhenZero)
    .describe('Most connections from one address, unless it is one of `trusted_proxies`. 0 = no limit.'),
  requests_per_session: count(0)
    .default(4_096)
    .transform(noLimitWhenZero)
    .describe(
      'Most requests in progress on one session, event streams and WebSockets included; further ones are answered with 503. 0 = no limit.',
    ),
  head_seconds: seconds(0.1).default(20).describe('How long a client may take for the head of a request.'),
  body_seconds: seconds(0.1).default(600).describe('How long a client may take for the body of a request.'),
  idle_seconds: seconds(1)
    .default(65)
    .describe(
      'How long a connection stays without a request; should be longer than what load balancers keep theirs.',
    ),
  answer_seconds: seconds(0)
    .default(0)
    .describe(
      'How long an agent server may take to begin its answer, from the end of the request; then 504. 0 = any time.',
    ),
  stall_seconds: seconds(0.1)
    .default(120)
    .describe('A client that takes nothing of its answer for so long is cut off.'),
  loop_delay_ms: count(0)
    .default(2_000)
    .transform(noLimitWhenZero)
    .describe(
      'While everything in the server is delayed longer than this, requests for sessions are answered with 503. 0 = no limit.',
    ),
  failed_keys_per_minute: count(0)
    .default(30)
    .transform(noLimitWhenZero)
    .describe(
      'Wrong API keys that one address may send in a minute; further ones are answered with 429. 0 = no limit.',
    ),
});
