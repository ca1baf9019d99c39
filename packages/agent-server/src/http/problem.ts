/** One detail of a problem (agentapi section 2.4). */
export interface ProblemDetail {
  readonly message?: string;
  /** E.g. `body.content`. */
  readonly location?: string;
  /** What stood there. */
  readonly value?: unknown;
}

/** A request that is answered with an error; becomes `application/problem+json`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly errors: readonly ProblemDetail[];

  /** `detail` is the summary that the caller reads. */
  constructor(status: number, detail: string, errors: readonly ProblemDetail[] = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

/** A request whose content breaks the rules; `status` is 422 unless the content cannot even be read. */
export function validationProblem(errors: readonly ProblemDetail[], status = 422): Problem {
  return new Problem(status, 'validation failed', errors);
}

/** A failure that is not the caller's; `message` must hold nothing that the caller may not see. */
export function unexpectedProblem(message: string): Problem {
  return new Problem(500, 'unexpected error occurred', [{ message }]);
}
