/** `ok`: as it should be. `warning`: works, but not for everything. `broken`: the server or its sessions cannot work. */
export type Verdict = 'ok' | 'warning' | 'broken';

/** What a check has found; holds no secrets. */
export interface Finding {
  /** What was looked at, such as `data folder`. */
  readonly check: string;
  readonly verdict: Verdict;
  /** What is the case. */
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** The reason of an error, for a finding. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
