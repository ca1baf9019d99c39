/** What is asked before a push. */
export interface PushForm {
  readonly branch: string;
  readonly force: boolean;
}

/** What is asked before a pull request. */
export interface PullRequestForm {
  readonly title: string;
  readonly body: string;
  /** Where it is to be merged into; empty = the default branch. */
  readonly base: string;
  readonly draft: boolean;
}

/** What the form shows at first. */
export const NEW_PULL_REQUEST: PullRequestForm = { title: '', body: '', base: '', draft: false };
