/** How requests name what they want to work on. */
export interface RepositoryRules {
  /** Host of the forge. */
  readonly host: string;
  /** Commits of history when the request does not say; `null` = all. */
  readonly depth: number | null;
  /** Whether a text is a key of this server: web clients send theirs in the place of a token. */
  readonly isKey: (text: string) => boolean;
}
