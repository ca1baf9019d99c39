import type { Scenario } from '../differential/scenario.ts';
import { CONVERSATIONS } from './conversations.ts';
import { DIFFERENCE_SCENARIOS } from './differences.ts';
import { HTTP_SCENARIOS } from './http.ts';
import { LIFETIME_SCENARIOS } from './lifetime.ts';

/** Everything that is tried with agentapi programs. */
export const SCENARIOS: readonly Scenario[] = [
  ...CONVERSATIONS,
  ...HTTP_SCENARIOS,
  ...LIFETIME_SCENARIOS,
  ...DIFFERENCE_SCENARIOS,
];
