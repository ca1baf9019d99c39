/** Name of the request header that carries a session's token to its agent server. */
export const TOKEN_HEADER = 'x-agentapi-token';
