import type { LanguageFn } from 'highlight.js';

type Loader = () => Promise<{ readonly default: LanguageFn }>;

/** One file for each, which a browser loads when it meets the language. */
const LANGUAGES: Readonly<Record<string, Loader>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  dockerfile: () => import('highlight.js/lib/languages/dockerfile'),
  go: () => import('highlight.js/lib/languages/go'),
  graphql: () => import('highlight.js/lib/languages/graphql'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  kotlin: () => import('highlight.js/lib/languages/kotlin'),
  lua: () => import('highlight.js/lib/languages/lua'),
  makefile: () => import('highlight.js/lib/languages/makefile'),
  markdown: () => import('highlight.js/lib/languages/markdown'),
  php: () => import('highlight.js/lib/languages/php'),
  python: () => import('highlight.js/lib/languages/python'),
  ruby: () => import('highlight.js/lib/languages/ruby'),
  rust: () => import('highlight.js/lib/languages/rust'),
  scala: () => import('highlight.js/lib/languages/scala'),
  scss: () => import('highlight.js/lib/languages/scss'),
  shell: () => import('highlight.js/lib/languages/shell'),
  sql: () => import('highlight.js/lib/languages/sql'),
  swift: () => import('highlight.js/lib/languages/swift'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
};

const OTHER_NAMES: Readonly<Record<string, string>> = {
  ...{ sh: 'bash', zsh: 'bash', console: 'shell', shellsession: 'shell', terminal: 'shell' },
  ...{ js: 'javascript', jsx: 'javascript', mjs: 'javascript', cjs: 'javascript' },
  ...{ ts: 'typescript', tsx: 'typescript', mts: 'typescript', cts: 'typescript' },
  ...{ py: 'python', rb: 'ruby', rs: 'rust', golang: 'go', kt: 'kotlin', cs: 'csharp', 'c#': 'csharp' },
  ...{ 'c++': 'cpp', cc: 'cpp', h: 'c', hpp: 'cpp', html: 'xml', svg: 'xml', vue: 'xml', yml: 'yaml' },
  ...{ md: 'markdown', docker: 'dockerfile', make: 'makefile', toml: 'ini', jsonc: 'json', json5: 'json' },
  ...{ patch: 'diff', postgres: 'sql', sqlite: 'sql', mysql: 'sql', gql: 'graphql' },
};

/** Longer code stays as it is: colouring it would keep the page from answering. */
const MAX_CHARS = 50_000;

/**
 * Code with colours, as HTML before it is made safe; `null` for languages that are not known and code that is too long.
 * @param info - what stands beside the fence; its first word is the language
 */
export async function highlight(code: string, info: string): Promise<string | null> {
  const language = /^[^\s,:{]*/u.exec(info)?.[0].toLowerCase() ?? '';
  const name = Object.hasOwn(OTHER_NAMES, language) ? (OTHER_NAMES[language] ?? language) : language;
  const load = Object.hasOwn(LANGUAGES, name) ? LANGUAGES[name] : undefined;
  if (load === undefined || code.length > MAX_CHARS) return null;
  const [{ default: core }, { default: grammar }] = await Promise.all([
    import('highlight.js/lib/core'),
    load(),
  ]);
  if (core.getLanguage(name) === undefined) core.registerLanguage(name, grammar);
  return core.highlight(code, { language: name, ignoreIllegals: true }).value;
}
