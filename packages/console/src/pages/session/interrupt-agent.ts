import { ApiError, type Client } from '@agentapi-proxy/client';

/** The Escape key, which interrupts agents in a terminal. */
const ESCAPE = '\u001b';

/**
 * Asks an agent to stop what it does, whichever way it understands.
 *
 * @throws ClientError when the session does not take it
 */
export async function interruptAgent(client: Client, sessionId: string): Promise<void> {
  const session = client.session(sessionId);
  try {
    await session.agent.cancelTurn();
  } catch (error) {
    // An agent in a terminal knows no turns, but keys.
    if (!(error instanceof ApiError) || error.kind !== 'not_found') throw error;
    await session.sendRaw(ESCAPE);
  }
}
