import { MAX_PAGE } from '../../sessions/search.ts';
import type { JsonObject } from './json.ts';

function parameter(name: string, description: string, schema: JsonObject): JsonObject {
  return { name, in: 'query', required: false, description, schema };
}

/** The query of `GET /search`, which takes names that are not known beforehand. */
export const SEARCH_PARAMETERS: readonly JsonObject[] = [
  parameter(
    'state',
    'These states, separated by commas, or `all`; without it those of sessions that have not ended.',
    {
      type: 'string',
      examples: ['stopped,failed'],
    },
  ),
  parameter('status', 'Exactly this status.', { type: 'string', examples: ['active'] }),
  {
    ...parameter(
      'tags',
      'A tag has exactly this value, as `tag.NAME=VALUE`; several are combined with "and".',
      {
        type: 'object',
        propertyNames: { pattern: '^tag\\.' },
        additionalProperties: { type: 'string' },
        examples: [{ 'tag.team': 'docs' }],
      },
    ),
    style: 'form',
    explode: true,
  },
  parameter('user_id', 'Only those of this owner; for those who see sessions of others.', { type: 'string' }),
  parameter('shared', '`true`: also sessions that others have shared with the caller.', { type: 'string' }),
  parameter('limit', `At most this many; more than ${MAX_PAGE} is ${MAX_PAGE}.`, {
    type: 'integer',
    minimum: 1,
  }),
  parameter('cursor', 'A `next_cursor`.', { type: 'string' }),
];
