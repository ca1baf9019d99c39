import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';
import { unobtainableParts } from './outside-parts.ts';

/** Marks the name of a test that needs a program from outside: `… [needs agentapi]`. */
const NEEDS = /\[needs ([a-z0-9]+)\]/;

/**
 * Ends the run with one plain line of counts. In CI a skipped test fails the run, so that a missing
 * program cannot pass for a success; the one exception is a program whose source refused it.
 */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], _errors: unknown, reason: TestRunEndReason): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const unobtainable = unobtainableParts();
    const intolerable: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed' || state === 'failed') counts[state] += 1;
        else counts.skipped += 1;
        if (state !== 'skipped') continue;
        const part = NEEDS.exec(test.fullName)?.[1];
        const excuse = part === undefined ? undefined : unobtainable.get(part);
        console.log(`skipped: ${test.fullName}${excuse === undefined ? '' : ` (${excuse})`}`);
        if (excuse === undefined) intolerable.push(test.fullName);
      }
    }
    if (process.env['CI'] !== undefined && intolerable.length > 0) {
      console.error(`${intolerable.length} tests were skipped, and none may be where CI is set`);
      process.exitCode = 1;
    }
    if (reason === 'failed' && counts.failed === 0) process.exitCode = 1;
    console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
