import { asObject, openApiDocument } from '@agentapi-proxy/agent-server/openapi';
import type { ErrorCode } from '../../errors.ts';
import type { Described } from './clean-schemas.ts';
import { isObject } from './json.ts';
import type { JsonObject } from './json.ts';
import { refusalAnswers, refusalsOf } from './refusals.ts';

/** The tag of everything below `/{sessionId}/`. */
export const AGENT_TAG = 'Agent';

/** How a request to a session ends without reaching its agent server. */
const PROXY_REFUSALS: readonly ErrorCode[] = [
  'foreign_session_access',
  'invalid_session_id',
  'session_not_found',
  'session_starting',
  'shutting_down',
  'upstream_failed',
  'upstream_timeout',
];

/** What is known of `/{sessionId}/*`: agentapi's routes, as the included agent server describes them. */
export function sessionPaths(): Described {
  const { paths, components } = openApiDocument('3.1');
  const described = Object.entries(asObject(paths)).map(([path, operations]) => [
    `/{sessionId}${path}`,
    Object.fromEntries(
      Object.entries(asObject(operations)).map(([method, operation]) => [
        method,
        operationBehindProxy(method.toUpperCase(), asObject(operation)),
      ]),
    ),
  ]);
  return { paths: Object.fromEntries(described), schemas: asObject(asObject(components)['schemas']) };
}

function operationBehindProxy(method: string, operation: JsonObject): JsonObject {
  const { operationId, responses, ...rest } = operation;
  const refusals = refusalsOf({ method, requires: 'session:access', refusals: PROXY_REFUSALS });
  return {
    ...rest,
    operationId: `agent-${String(operationId)}`.replaceAll(/-(\w)/g, (_dash, letter: string) =>
      letter.toUpperCase(),
    ),
    tags: [AGENT_TAG],
    parameters: [
      {
        name: 'sessionId',
        in: 'path',
        required: true,
        description: 'Id of the session.',
        schema: { type: 'string' },
      },
    ],
    responses: { ...refusalAnswers(refusals), ...answersOfAgent(asObject(responses)) },
  };
}

/** An agent refuses with a problem document of status 4xx or 500; the proxy has answers of its own beside it. */
function answersOfAgent({ default: problem, ...successes }: JsonObject): JsonObject {
  return { ...successes, ...(isObject(problem) ? { default: problem } : {}) };
}
