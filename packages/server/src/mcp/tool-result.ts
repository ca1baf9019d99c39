import { ApiError, ClientError, SessionEndedError } from '@agentapi-proxy/client';
import type { CallToolResult } from '@modelcontextprotocol/server';

/** What a tool has to say: text for the model, data for programs; the data has the form of the output schema. */
export interface ToolAnswer {
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Does what a tool is for. A call that the server refuses, or that fails on the way, is an answer too: the model reads
 * why, and the MCP server lives on (PX-223).
 *
 * @param task - in the words of the reference, such as `get status`
 */
export async function answerWith(task: string, work: () => Promise<ToolAnswer>): Promise<CallToolResult> {
  try {
    const { text, data } = await work();
    return { content: [{ type: 'text', text }], structuredContent: { ...data } };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { content: [{ type: 'text', text: `Failed to ${task}: ${causeOf(error)}` }], isError: true };
  }
}

/** The server's own words, with the code that documents them; of a session that failed also what it printed last. */
export function causeOf(error: ClientError): string {
  if (error instanceof SessionEndedError) {
    return [error.message, ...(error.session?.last_output ?? [])].join('\n');
  }
  const code = error instanceof ApiError ? error.code : undefined;
  return code === undefined ? error.message : `${error.message} (${code})`;
}
