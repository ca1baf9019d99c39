/**
 * How to write to the agent from a shell. The key is a variable: an example is copied into chats and scripts.
 *
 * @param address - of the agent, without a slash at its end
 */
export function curlExample(address: string, withKey: boolean): string {
  const key = withKey ? [`  -H "X-API-Key: $AGENTAPI_PROXY_KEY"`] : [];
  return [
    `curl ${shellWord(`${address}/message`)}`,
    ...key,
    `  -H 'Content-Type: application/json'`,
    `  -d '{"type": "user", "content": "Hello"}'`,
  ].join(' \\\n');
}

function shellWord(text: string): string {
  return /^[\w:/.@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
