import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DELIBERATE_DIFFERENCES } from '../support/deliberate-differences.ts';
import {
  EMBEDDED,
  realAgentapi,
  temporaryFolder,
  type AgentapiProgram,
} from '../support/differential/agentapi-program.ts';
import { differences, matches, unexplained } from '../support/differential/comparison.ts';
import { differenceTable } from '../support/differential/difference-table.ts';
import type { Falsification } from '../support/differential/falsifying-relay.ts';
import type { Observation } from '../support/differential/observation.ts';
import type { Scenario } from '../support/differential/scenario.ts';
import { ROOT } from '../support/documents.ts';
import { SCENARIOS } from '../support/scenarios/index.ts';

const real = realAgentapi();

/** The longest scenario waits for an agent that never reacts, and several run at once on few cores. */
const TIMEOUT_MS = 120_000;

/** What our server showed, so that the comparison need not run it again. */
const seen = new Map<string, Promise<Observation>>();

function observeOurs(scenario: Scenario): Promise<Observation> {
  const observed = seen.get(scenario.name) ?? scenario.observe(EMBEDDED);
  seen.set(scenario.name, observed);
  return observed;
}

/** The differences of another program from ours that no entry of the table explains. */
async function unexplainedOf(scenario: Scenario, other: AgentapiProgram): Promise<string> {
  const [reference, ours] = await Promise.all([scenario.observe(other), observeOurs(scenario)]);
  return unexplained(differences(scenario.name, reference, ours, DELIBERATE_DIFFERENCES));
}

function named(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}

describe.concurrent(
  'the embedded agent server by the command line of agentapi',
  { timeout: TIMEOUT_MS },
  () => {
    test.each(SCENARIOS.map((scenario) => [scenario.rows, scenario.name, scenario] as const))(
      '%s: %s: shows what it must',
      async (_rows, _name, scenario) => {
        expect(await observeOurs(scenario)).toEqual(scenario.expected);
      },
    );
  },
);

describe.concurrent('beside the real agentapi', { timeout: TIMEOUT_MS }, () => {
  // One test where there is none, so that the report of a run names the missing program once.
  test.skipIf(real === null)('it is the version that we are compatible with [needs agentapi]', async () => {
    expect(real === null ? '' : await unexplainedOf(named('command lines'), real)).toBe('');
  });

  test.each((real === null ? [] : SCENARIOS).map((scenario) => [scenario.name, scenario] as const))(
    '%s: every field is equal or differs deliberately',
    async (_name, scenario) => {
      expect(real === null ? '' : await unexplainedOf(scenario, real)).toBe('');
    },
  );
});

/** Two instances of ours, one of which is not what it seems. */
const FALSIFICATIONS: readonly {
  readonly what: string;
  readonly scenario: string;
  readonly falsify: Falsification;
  readonly found: RegExp;
}[] = [
  {
    what: 'a member of a JSON body',
    scenario: 'echo',
    falsify: (reply) =>
      reply.path === '/status' ? { ...reply, body: reply.body.replace('"custom"', '"claude"') } : reply,
    found: /^echo\/status\/body\/agent_type\n {2}reference: "claude"\n {2}ours: {6}"custom"$/u,
  },
  {
    what: 'a member that is missing',
    scenario: 'echo',
    falsify: (reply) =>
      reply.path === '/messages' ? { ...reply, body: reply.body.replace(/"role":"agent",/u, '') } : reply,
    found: /^echo\/messages\/body\/messages\/0\/role\n {2}reference: \(missing\)\n {2}ours: {6}"agent"$/u,
  },
  {
    what: 'the text of an event',
    scenario: 'echo',
    falsify: (reply) => ({
      ...reply,
      body:
        reply.path === '/events' ? reply.body.replace('You said: hello', 'You said: goodbye') : reply.body,
    }),
    found: /^echo\/turns\/0\/events\/messages\/1\/message\n {2}reference: "You said: goodbye"/u,
  },
  {
    what: 'an additional event',
    scenario: 'echo',
    falsify: (reply) =>
      reply.path === '/events' && reply.body.includes('"running"')
        ? { ...reply, body: `${reply.body}\n\nevent: surprise\ndata: {"a":1}` }
        : reply,
    found: /^echo\/turns\/0\/events\/others\/0\/event\n {2}reference: "surprise"/mu,
  },
  {
    what: 'a status code',
    scenario: 'messages',
    falsify: (reply) => (reply.status === 415 ? { ...reply, status: 400 } : reply),
    found: /^messages\/form\/status\n {2}reference: 400\n {2}ours: {6}415$/u,
  },
  {
    what: 'a header',
    scenario: 'rules',
    falsify: (reply) => ({
      ...reply,
      headers: {
        ...reply.headers,
        ...(reply.headers['access-control-max-age'] === undefined ? {} : { 'access-control-max-age': '600' }),
      },
    }),
    found:
      /^rules\/allowed preflight\/headers\/access-control-max-age\n {2}reference: "600"\n {2}ours: {6}"300"$/u,
  },
  {
    what: 'an additional header',
    scenario: 'rules',
    falsify: (reply) =>
      reply.path === '/' ? { ...reply, headers: { ...reply.headers, 'x-new': '1' } } : reply,
    found: /^rules\/root\/headers\/x-new\n {2}reference: "1"\n {2}ours: {6}\(missing\)$/u,
  },
  {
    what: 'the words of an error',
    scenario: 'messages',
    falsify: (reply) => ({ ...reply, body: reply.body.replace('must not be empty', 'is empty') }),
    found:
      /^messages\/blank text\/body\/errors\/0\/message\n {2}reference: "failed to send message: message is empty"/u,
  },
];

describe.concurrent('the comparison of two instances of ours', { timeout: TIMEOUT_MS }, () => {
  test.each(['echo', 'messages', 'rules', 'ends of the agent', 'command lines'])(
    '%s: finds nothing between honest ones',
    async (name) => {
      expect(await unexplainedOf(named(name), EMBEDDED)).toBe('');
    },
  );

  test.each(FALSIFICATIONS)(
    'finds $what behind a relay that falsifies it',
    async ({ scenario, falsify, found }) => {
      expect(await unexplainedOf(named(scenario), { ...EMBEDDED, falsification: falsify })).toMatch(found);
    },
  );

  test('finds another exit code', async () => {
    await using folder = await temporaryFolder();
    const wrapper = join(folder.path, 'agentapi');
    await writeFile(wrapper, '"$@" || exit 7\n');
    const program = { command: ['sh', wrapper, ...EMBEDDED.command] };
    const found = await unexplainedOf(named('command lines'), program);
    expect(found).toContain('command lines/server/code\n  reference: 7\n  ours:      1');
    expect(found).not.toContain('command lines/--version');
  });
});

describe('the table of deliberate differences', () => {
  test('explains a field only with the values that it names', () => {
    const compare = (during: string): string =>
      unexplained(
        differences(
          'no reaction',
          { during: { status: during } },
          { during: { status: 'answered' } },
          DELIBERATE_DIFFERENCES,
        ),
      );
    expect(compare('blocked')).toBe('');
    expect(compare('refused')).toMatch(/^no reaction\/during\/status/u);
  });

  test('every entry stands for a field of a scenario, under a name of its own', async () => {
    for (const { field } of DELIBERATE_DIFFERENCES) {
      expect(SCENARIOS.map(({ name }) => name)).toContain(field.split('/')[0]);
    }
    const ids = DELIBERATE_DIFFERENCES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('stands in docs/compatibility.md as it is', async () => {
    const document = await readFile(join(ROOT, 'docs/compatibility.md'), 'utf8');
    const section =
      /^## Agent server: deliberate differences\n([^]*?)(?=^## |(?![^]))/mu.exec(document)?.[1] ?? '';
    const rows = section.split('\n').filter((line) => line.startsWith('|'));
    expect(rows.join('\n')).toBe(differenceTable(DELIBERATE_DIFFERENCES));
  });

  test('a pattern covers what it says', () => {
    expect(matches('a/*/c', 'a/b/c')).toBe(true);
    expect(matches('a/*/c', 'a/b/d')).toBe(false);
    expect(matches('a/*', 'a/b/c')).toBe(false);
    expect(matches('a/**', 'a/b/c')).toBe(true);
    expect(matches('a/**', 'b/c')).toBe(false);
  });
});

test('for any two observations exactly the unequal ones differ, and an open entry explains them all', () => {
  const observation = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value;
  const open = { id: 'all', row: '', field: 'any/**', reference: '', ours: '', why: '' };
  fc.assert(
    fc.property(observation, observation, (one, other) => {
      const [a, b] = [asObservation(one), asObservation(other)];
      expect(differences('any', a, a, [])).toEqual([]);
      const found = differences('any', a, b, []);
      expect(found.length === 0).toBe(JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
      expect(unexplained(differences('any', a, b, [open]))).toBe('');
    }),
  );
});

function asObservation(value: unknown): Observation {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(asObservation);
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, asObservation(item)]));
}

/** Members have no order, and a list is what has its items under their numbers. */
function sorted(value: Observation): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 0) return Array.isArray(value) ? [] : {};
  return entries
    .map(([name, item]): [string, unknown] => [name, sorted(item)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
