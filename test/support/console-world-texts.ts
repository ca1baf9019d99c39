/** What scripted agents say and do in the world of the console. */

const plan = (...steps: readonly (readonly [string, 'completed' | 'in_progress' | 'pending'])[]) => ({
  update: {
    sessionUpdate: 'plan',
    entries: steps.map(([content, status]) => ({ content, status, priority: 'medium' })),
  },
});

const tool = (
  toolCallId: string,
  title: string,
  kind: 'read' | 'edit' | 'execute' | 'search',
  text: string,
) => ({
  update: {
    sessionUpdate: 'tool_call',
    toolCallId,
    title,
    kind,
    status: 'completed',
    content: [{ type: 'content', content: { type: 'text', text } }],
  },
});

/** Steps of one turn, as the scripted agent for the Agent Client Protocol takes them. */
export const ACP_TURNS = {
  asking: [
    { chunk: 'I look at how signing in works, and where the address of the page gets lost.\n\n' },
    tool('read', 'Read src/login.ts', 'read', "export function afterSignIn(): string {\n  return '/';\n}"),
    tool('grep', 'Search for “afterSignIn”', 'search', 'src/login.ts:3\nsrc/routes.ts:17'),
    {
      chunk: `\n\n## What is wrong

\`afterSignIn\` answers with \`/\` whatever the page was that asked for the sign-in. The address has to travel along,
and it must be one of **our own** pages: otherwise a link could send people elsewhere.

\`\`\`ts
export function afterSignIn(from: string | null): string {
  // Only paths of this site; "//elsewhere.example" is none.
  return from !== null && /^\\/(?!\\/)/.test(from) ? from : '/';
}
\`\`\`

| Case | Before | Now |
| --- | --- | --- |
| from the basket | start page | basket |
| a link to another site | start page | start page |

`,
    },
    tool('edit', 'Edit src/login.ts', 'edit', 'Changed 3 lines'),
    plan(['Find the reason', 'completed'], ['Mend it', 'completed'], ['Run the tests', 'in_progress']),
    {
      permission: {
        toolCall: {
          toolCallId: 'run',
          title: 'Run the tests',
          kind: 'execute',
          rawInput: { command: 'npm test -- login' },
        },
        options: [
          { optionId: 'once', name: 'Allow once', kind: 'allow_once' },
          { optionId: 'always', name: 'Always allow', kind: 'allow_always' },
          { optionId: 'no', name: 'Reject', kind: 'reject_once' },
        ],
      },
    },
    { chunk: '\n\nDone.' },
  ],
  done: [
    tool('read', 'Read contact.html', 'read', '<h1>Contact</h1>'),
    { chunk: '\n\nThe contact page has the opening hours now, in a table that screen readers understand.' },
  ],
  working: [
    { chunk: 'I begin with the continuous integration, since it shows what breaks.' },
    { waitForCancel: null },
  ],
} as const satisfies Record<string, readonly unknown[]>;

export const REPOSITORY_FILES = {
  'README.md': '# Web shop\n\nWhat people see when they buy from us.\n',
  'src/login.ts':
    "import { session } from './session.ts';\n\n/** Where people go who have signed in. */\nexport function afterSignIn(): string {\n  session.touch();\n  return '/';\n}\n",
  'src/routes.ts': "import { afterSignIn } from './login.ts';\n\nexport const home = afterSignIn();\n",
  'src/session.ts': 'export const session = { touch() {} };\n',
} as const;

/** What the agent has made of them. */
export const CHANGED_FILES = {
  'src/login.ts':
    "import { session } from './session.ts';\n\n/** Where people go who have signed in: back, if they came from one of our pages. */\nexport function afterSignIn(from: string | null): string {\n  session.touch();\n  // Only paths of this site; \"//elsewhere.example\" is none.\n  return from !== null && /^\\/(?!\\/)/.test(from) ? from : '/';\n}\n",
  'src/routes.ts':
    "import { afterSignIn } from './login.ts';\n\nexport const home = afterSignIn(new URL(location.href).searchParams.get('from'));\n",
  'src/login.test.ts':
    "import { expect, test } from 'vitest';\nimport { afterSignIn } from './login.ts';\n\ntest('people get back to where they came from', () => {\n  expect(afterSignIn('/basket')).toBe('/basket');\n});\n\ntest('nobody is sent elsewhere', () => {\n  expect(afterSignIn('//elsewhere.example')).toBe('/');\n});\n",
} as const;
