import type { Session } from '@agentapi-proxy/client';

/** The Escape key, which interrupts agents in a terminal. */
const ESCAPE = '\u001b';

/**
 * Asks an agent to stop what it does, in the way that it understands.
 *
 * @param known - how one talks to the agent, in a terminal (`pty`) or in the Agent Client Protocol; it is asked when not given
 * @throws ClientError when the session does not take it
 */
export async function interruptAgent(session: Session, known?: 'pty' | 'acp'): Promise<void> {
  const transport = known ?? (await session.status()).transport;
  if (transport === 'acp') await session.agent.cancelTurn();
  else await session.sendRaw(ESCAPE);
}
