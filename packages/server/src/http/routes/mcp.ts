import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { replyError, toAppError } from '../reply-error.ts';

/** Headers that MCP clients in web pages send besides those of everybody (streamable HTTP). */
export const MCP_REQUEST_HEADERS = [
  'Mcp-Session-Id',
  'MCP-Protocol-Version',
  'Mcp-Method',
  'Mcp-Name',
] as const;

/** Who asks over MCP, as far as HTTP knows. */
export interface McpRequester {
  /** The headers that carry the credentials, to be sent with every call that is made for this caller. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Tells callers apart; the credentials cannot be found out from it. */
  readonly identity: string;
  readonly address: string;
  readonly requestId: string;
}

/** Answers MCP requests that have passed authentication; made in `app.ts`. */
export type McpHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  requester: McpRequester,
) => Promise<void>;

export interface McpRouteOptions {
  readonly handle: McpHandler;
  /** Lower-case names of the headers that a key is looked for in. */
  readonly keyHeaders: readonly string[];
  readonly addressOf: (request: IncomingMessage) => string;
}

/**
 * `/mcp`: the Model Context Protocol over streamable HTTP. A key is needed as for every route; what the tools may do is
 * decided call by call, with the caller's own credentials.
 */
export function mcpRoute(app: FastifyInstance, options: McpRouteOptions): void {
  void app.register((scope, _options, done) => {
    // The protocol has answers of its own for bodies that are wrong, so it reads them itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    scope.route({
      method: ['GET', 'POST', 'DELETE'],
      url: '/mcp',
      config: { permission: 'authenticated' },
      // A protocol of its own, which OpenAPI has no words for.
      schema: { hide: true },
      errorHandler: replyMcpError,
      handler: async (request, reply) => {
        reply.hijack();
        await options.handle(request.raw, reply.raw, requesterOf(request, options));
        return reply;
      },
    });
    done();
  });
}

function requesterOf(request: FastifyRequest, { keyHeaders, addressOf }: McpRouteOptions): McpRequester {
  const credentials: Record<string, string> = {};
  for (const name of keyHeaders) {
    const value = request.headers[name];
    if (value !== undefined) credentials[name] = [value].flat().join(', ');
  }
  return {
    credentials,
    identity: createHash('sha256').update(JSON.stringify(credentials)).digest('base64url'),
    address: addressOf(request.raw),
    requestId: request.id,
  };
}

/** MCP clients look at this header to find out how to authenticate (RFC 9110, section 11.6.1). */
function replyMcpError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { code } = toAppError(error);
  if (code === 'api_key_required') reply.header('www-authenticate', 'Bearer realm="agentapi-proxy"');
  if (code === 'invalid_api_key') {
    reply.header('www-authenticate', 'Bearer realm="agentapi-proxy", error="invalid_token"');
  }
  void replyError(error, request, reply);
}
