import { AGENT_TAG } from './session-paths.ts';

/** What a reader should know before the first request. */
export const API_DESCRIPTION = `One server through which a team runs many coding agents.

Start a session with \`POST /start\`, talk to its agent below \`/{sessionId}/\`, end it with \`DELETE /sessions/{sessionId}\`.

Bodies are JSON in UTF-8; a request body that is JSON is accepted whatever its content type says. Times are RFC 3339 in UTC. Every refusal has the shape of \`Error\`; a path that is not listed is 404 \`not_found\`, another method 405 \`method_not_allowed\`. While authentication is off no key is needed. \`/mcp\` speaks the Model Context Protocol.`;

/** The groups of operations, in the order of their importance. */
export const API_TAGS = [
  { name: 'Sessions', description: 'Starting, finding, inspecting and ending sessions.' },
  {
    name: AGENT_TAG,
    description:
      'Talking to the agent of a session. Every method on `/{sessionId}/*` goes to the agent server of the session byte for byte, answers, event streams and WebSockets included; these are the routes of agentapi. `GET /{sessionId}/openapi.json` describes all that this agent server has. The first request waits until the session has started.',
  },
  {
    name: 'Conversations',
    description:
      'What was said and what happened in sessions, also after their end and across connections that break; messages that wait for their agent.',
  },
  {
    name: 'Git',
    description:
      'The repository in the workspace of a session: what has changed, and taking it back to the forge.',
  },
  { name: 'Profiles', description: 'What would be repeated with every start.' },
  { name: 'Sharing', description: 'Letting others look at a session, or use it.' },
  {
    name: 'Keys',
    description: 'API keys that are made while the server is in use, and what was done with them.',
  },
  { name: 'Server', description: 'Health, version and description of the server.' },
] as const;
