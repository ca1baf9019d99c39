/** What a new session gets; everything is optional. */
export interface StartRequest {
  /** Name of an agent in the server's configuration; default: the server's choice. */
  readonly agent?: string | undefined;
  /** Further arguments for the agent's command. */
  readonly agent_args?: readonly string[] | undefined;
  /** Owner. Only administrators, and everyone while authentication is off, may name one. */
  readonly user_id?: string | undefined;
  /** Environment variables for the agent. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** First message; delivered once the agent is ready. */
  readonly message?: string | undefined;
}
