/** A repository that a profile's sessions have worked on. */
export interface RepositoryEntry {
  readonly id: string;
  readonly url: string;
  readonly name: string;
  readonly branch: string | null;
  readonly lastCommit: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly accessedAt: Date;
}

/** A message with placeholders for variables. */
export interface MessageTemplate {
  readonly id: string;
  readonly name: string;
  readonly content: string;
  readonly variables: readonly string[];
  readonly category: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: Date;
}

/** What a user keeps for starting sessions with (proxy-api section 9.1). */
export interface Profile {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly description: string;
  readonly environment: Readonly<Record<string, string>>;
  /** In the order in which they were added. */
  readonly repositoryHistory: readonly RepositoryEntry[];
  readonly systemPrompt: string;
  /** In the order in which they were added. */
  readonly messageTemplates: readonly MessageTemplate[];
  /** Name of a configured agent; `null` leaves the choice to the request and the server. */
  readonly agent: string | null;
  readonly agentArgs: readonly string[];
  /** Name of a start script; `null` leaves the choice to the request and the server. */
  readonly script: string | null;
  /** Repository of sessions whose request names none. */
  readonly repository: string | null;
  /** Whether it is the one its user starts with when naming none; at most one of a user is. */
  readonly isDefault: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** `null` until a session was started from it. */
  readonly lastUsedAt: Date | null;
  /** 1 at first, one more with every edit; the `ETag`. */
  readonly version: number;
}
