/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** Where: `config.json:3:14`, `environment variable X`, `option --port`. */
  readonly place: string;
  /** What was found and what would be right; never a secret. */
  readonly text: string;
}

/** The server cannot start with this configuration (exit code 2); the message lists every problem, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options: { cause?: unknown } = {}) {
    super(problems.map((problem) => `${problem.place}: ${problem.text}`).join('\n'), options);
    this.problems = problems;
  }
}
