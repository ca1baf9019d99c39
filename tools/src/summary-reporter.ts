import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';
import { unobtainableParts } from './outside-parts.ts';

/** Marks the name of a test that needs a program from outside: `… [needs agentapi]`. */
const NEEDS = /\[needs ([a-z0-9]+)\]/;

/**
 * Ends the run with one plain line of counts. In CI a skipped test fails the run, so that a missing
 * program cannot pass for a success; the one exception is a program whose source refused it.
 */
export class SummaryReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const unobtainable = unobtainableParts();
    const intolerable: string[] = [];
    const failures: string[] = [];
    for (const module of modules) {
      const hooks = [...module.children.allSuites()].map(
        (suite) => [suite.fullName, suite.errors()] as const,
      );
      for (const [name, found] of [[module.relativeModuleId, module.errors()] as const, ...hooks]) {
        if (found.length > 0) failures.push(failureText(name, found));
      }
      for (const test of module.children.allTests()) {
        const { state, errors: ownErrors = [] } = test.result();
        if (state === 'passed' || state === 'failed') counts[state] += 1;
        else counts.skipped += 1;
        if (state === 'failed') failures.push(failureText(test.fullName, ownErrors));
        if (state !== 'skipped') continue;
        const part = NEEDS.exec(test.fullName)?.[1];
        const excuse = part === undefined ? undefined : unobtainable.get(part);
        console.log(`skipped: ${test.fullName}${excuse === undefined ? '' : ` (${excuse})`}`);
        if (excuse === undefined) intolerable.push(test.fullName);
      }
    }
    if (errors.length > 0) failures.push(failureText('outside of the tests', errors));
    // Once more at the end, where the last lines of a log show them.
    for (const text of failures) console.error(text);
    if (process.env['CI'] !== undefined && intolerable.length > 0) {
      console.error(`${intolerable.length} tests were skipped, and none may be where CI is set`);
      process.exitCode = 1;
    }
    if (reason === 'failed' && counts.failed === 0) process.exitCode = 1;
    console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}

/** The longest text of an error that is told in short. */
const MAX_LINES = 20;

/** What went wrong and where in the tests, without the code around. */
function failureText(name: string, errors: readonly SerializedError[]): string {
  const lines = errors.flatMap(({ message, diff, stacks = [] }) => [
    ...shortened(message),
    ...(typeof diff === 'string' ? shortened(diff) : []),
    ...stacks
      .map(({ file, line }) => `at ${relative(process.cwd(), file)}:${line}`)
      .filter((place) => !place.includes('node_modules')),
  ]);
  return [`failed: ${name}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function shortened(text: string): readonly string[] {
  return stripVTControlCharacters(text).split('\n').slice(0, MAX_LINES);
}
