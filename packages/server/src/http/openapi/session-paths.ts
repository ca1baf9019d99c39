import { asObject, openApiDocument } from '@agentapi-proxy/agent-server/openapi';
import type { ErrorCode } from '../../errors.ts';
import type { Described } from './clean-schemas.ts';
import { isObject } from './json.ts';
import type { Json, JsonObject } from './json.ts';
import { refusalAnswers, refusalsOf } from './refusals.ts';

/** The tag of everything below `/{sessionId}/`. */
export const AGENT_TAG = 'Agent';

/** How a request to a session ends without reaching its agent server. */
const PROXY_REFUSALS: readonly ErrorCode[] = [
  'foreign_session_access',
  'invalid_session_id',
  'overloaded',
  'session_not_found',
  'session_overloaded',
  'session_starting',
  // An upgrade counts as writing, whatever its method.
  'shared_for_reading',
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
    operationId: camelCase(typeof operationId === 'string' ? `agent-${operationId}` : 'agent'),
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
    responses: answersOf(asObject(responses), refusalAnswers(refusals)),
  };
}

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());
}

/** An agent server refuses with a problem document, whatever the status; the proxy has answers of its own beside it. */
function answersOf(ofAgent: JsonObject, ofProxy: Readonly<Record<string, JsonObject>>): JsonObject {
  const { default: problem, ...successes } = ofAgent;
  const refusals = Object.entries(ofProxy).map(([status, refusal]) => [
    status,
    { ...refusal, content: { ...asObject(refusal['content']), ...asObject(asObject(problem)['content']) } },
  ]);
  return {
    ...Object.fromEntries(refusals),
    ...Object.fromEntries(
      Object.entries(successes).map(([status, answer]) => [status, withEvents(asObject(answer))]),
    ),
    ...(isObject(problem) ? { default: problem } : {}),
  };
}

/** agentapi describes a stream as the list of its events; in a document of today the schema is that of one event. */
function withEvents(answer: JsonObject): JsonObject {
  const content = asObject(answer['content']);
  if (!isObject(content[EVENT_STREAM])) return answer;
  const { items } = asObject(content[EVENT_STREAM]['schema']);
  const forms = asObject(items)['oneOf'];
  const events = (Array.isArray(forms) ? forms : []).map((form: Json) => {
    const { properties, ...rest } = asObject(form);
    const { data = {}, ...others } = asObject(properties);
    const text = {
      description: 'JSON of the event.',
      type: 'string',
      contentMediaType: 'application/json',
      contentSchema: data,
    };
    return { type: 'object', ...rest, properties: { ...others, data: text } };
  });
  const schema = { description: 'One event of the stream.', oneOf: events };
  return { ...answer, content: { ...content, [EVENT_STREAM]: { schema } } };
}

const EVENT_STREAM = 'text/event-stream';
