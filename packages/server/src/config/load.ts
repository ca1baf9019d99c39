import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { closestName } from './closest-name.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { findConflicts, findOddities, isPersistent } from './consistency.ts';
import { matchesPattern, PASSED_ALWAYS, RESERVED } from './environment-names.ts';
import { annotatedSchema, ENVIRONMENT_PREFIX, type Field, fieldsOf, type SchemaNode } from './fields.ts';
import { type JsonFile, readJsonFile } from './json-file.ts';
import { describeIssues } from './problems.ts';
import { type Config, configSchema, type ParsedConfig } from './schema.ts';
import { Secret } from './secret.ts';

/** Read when neither `--config` nor AGENTAPI_PROXY_CONFIG names a file; the only one that may be absent (PX-008). */
const DEFAULT_CONFIG_FILE = 'config.json';

/** Environment variable that names the configuration file. */
const FILE_VARIABLE = `${ENVIRONMENT_PREFIX}CONFIG`;

/** Variables with our prefix that are not fields: the file, and what sessions, their scripts and the client commands use. */
const OTHER_VARIABLES = [
  ...['CONFIG', 'SESSION', 'SESSION_ID', 'URL', 'ENDPOINT', 'API_KEY'],
  ...['WORKSPACE', 'REPOSITORY', 'CLONE_DIR', 'BRANCH'],
].map((name) => ENVIRONMENT_PREFIX + name);

/** Where the configuration comes from. */
export interface ConfigSources {
  /** The server's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** The file named on the command line. */
  readonly file?: string | undefined;
  /** Fields set on the command line, as typed: `{ port: '9090' }`. */
  readonly flags?: Readonly<Record<string, string | boolean | undefined>>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, absolute; `null` when the default one does not exist. */
  readonly file: string | null;
  /** What is allowed but probably not meant; one sentence each, for the log. */
  readonly warnings: readonly string[];
}

/**
 * Builds the configuration once: defaults < file < environment < command line (DF-66), validated as a whole
 * and frozen. Throws {@link ConfigError} naming every problem (exit code 2, DF-07, DF-65).
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const schema = annotatedSchema();
  const fields = fieldsOf(schema);
  const { environment, workingDirectory } = sources;
  const named = sources.file ?? nonEmpty(environment[FILE_VARIABLE]);
  const fileName = named ?? DEFAULT_CONFIG_FILE;
  const path = resolve(workingDirectory, fileName);
  const file = readJsonFile(path, fileName);
  if (file === null && named !== undefined) {
    throw new ConfigError([{ place: fileName, text: `no such file; looked for ${path}` }]);
  }

  // The file by itself first: a wrong value in it is reported even where the environment overrides it.
  const fromFile = file === null ? {} : file.value;
  const checked = configSchema.safeParse(fromFile);
  if (!checked.success) throw problemsOf(checked.error.issues, fromFile, schema, file, new Map());

  const overrides = [
    ...environmentOverrides(fields, environment),
    ...flagOverrides(fields, sources.flags ?? {}),
  ];
  const document: unknown = structuredClone(fromFile);
  for (const { field, value } of overrides) setAt(document, field.path, value);
  const origins = new Map(overrides.map(({ field, place }) => [field.path.join('.'), place]));
  const parsed = configSchema.safeParse(document);
  if (!parsed.success) throw problemsOf(parsed.error.issues, document, schema, file, origins);

  const conflicts = findConflicts(parsed.data);
  if (conflicts.length > 0) {
    const place = (at: readonly PropertyKey[]): string => placeOf(at, null, file, origins) ?? 'configuration';
    throw new ConfigError(
      conflicts.map((conflict) => ({ place: place(conflict.path), text: conflict.text })),
    );
  }
  const config = deepFreeze({
    ...parsed.data,
    scripts_dir: resolvedPath(workingDirectory, parsed.data.scripts_dir),
    data_dir: resolve(workingDirectory, parsed.data.data_dir ?? defaultDataDir(environment)),
    encryption: {
      ...parsed.data.encryption,
      key_file: resolvedPath(workingDirectory, parsed.data.encryption.key_file),
    },
    github: {
      ...parsed.data.github,
      app_key_file: resolvedPath(workingDirectory, parsed.data.github.app_key_file || undefined) ?? '',
    },
    on_shutdown: parsed.data.on_shutdown ?? (isPersistent(parsed.data) ? 'keep' : 'terminate'),
    inherited_environment: inherited(parsed.data, environment),
  });
  const warnings = [...findOddities(config), ...mistypedVariables(fields, environment)];
  return { config, file: file === null ? null : path, warnings };
}

interface Override {
  readonly field: Field;
  readonly value: unknown;
  readonly place: string;
}

function environmentOverrides(
  fields: readonly Field[],
  environment: ConfigSources['environment'],
): Override[] {
  return fields.flatMap((field) => {
    const variable = field.variables.find((name) => nonEmpty(environment[name]) !== undefined);
    if (variable === undefined) return [];
    const place = `environment variable ${variable}`;
    return [{ field, place, value: parseText(field, environment[variable] ?? '', place) }];
  });
}

function flagOverrides(
  fields: readonly Field[],
  flags: Readonly<Record<string, string | boolean | undefined>>,
): Override[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    const field = fields.find((each) => each.path.join('.') === name);
    if (field === undefined || value === undefined) return [];
    const place = `option --${name}`;
    return [{ field, place, value: typeof value === 'string' ? parseText(field, value, place) : value }];
  });
}

/** A list in JSON, as opposed to words that begin with a bracket, such as the address `[::1]`. */
const JSON_LIST = /^\s*\[\s*["\]]/;

/** A text in the form of its field. What does not fit stays text, and the schema says what is wrong with it. */
function parseText(field: Field, text: string, place: string): unknown {
  switch (field.form) {
    case 'text':
      return text;
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return (
        ({ true: true, '1': true, false: false, '0': false } as const)[text.trim().toLowerCase()] ?? text
      );
    case 'arguments':
      return JSON_LIST.test(text) ? parseJsonText(field, text, place) : text;
    case 'list':
      if (JSON_LIST.test(text)) return parseJsonText(field, text, place);
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'json':
      return parseJsonText(field, text, place);
  }
}

function parseJsonText(field: Field, text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: the engine's message quotes the text, which may be a secret.
    const wanted = field.schema.type === 'object' ? 'object such as {"NAME": …}' : 'list such as ["…"]';
    throw new ConfigError([
      { place, text: `${field.path.join('.')}: not valid JSON, expected a JSON ${wanted}` },
    ]);
  }
}

function setAt(document: unknown, path: readonly string[], value: unknown): void {
  let group = document;
  for (const [index, step] of path.entries()) {
    if (typeof group !== 'object' || group === null) return;
    if (index === path.length - 1) Reflect.set(group, step, value);
    else if (!Object.hasOwn(group, step)) Reflect.set(group, step, {});
    group = Reflect.get(group, step);
  }
}

function problemsOf(
  issues: Parameters<typeof describeIssues>[0],
  document: unknown,
  schema: SchemaNode,
  file: JsonFile | null,
  origins: ReadonlyMap<string, string>,
): ConfigError {
  const problems = describeIssues(issues, document, schema).map(({ path, member, text }): ConfigProblem => ({
    place: placeOf(path, member, file, origins) ?? 'configuration',
    text,
  }));
  return new ConfigError(problems);
}

/** The variable or option that set the field or a part above it; else the place in the file. */
function placeOf(
  path: readonly PropertyKey[],
  member: string | null,
  file: JsonFile | null,
  origins: ReadonlyMap<string, string>,
): string | null {
  for (let length = path.length; length > 0; length -= 1) {
    const origin = origins.get(path.slice(0, length).join('.'));
    if (origin !== undefined) return origin;
  }
  if (file === null) return null;
  return member === null ? file.place(path) : file.placeOfName(path, member);
}

function inherited(config: ParsedConfig, environment: ConfigSources['environment']): Record<string, string> {
  const patterns = [...PASSED_ALWAYS, ...config.environment.pass];
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && matchesPattern(name, patterns) && !matchesPattern(name, RESERVED)
        ? [[name, value]]
        : [],
    ),
  );
}

/** The XDG base folder; a relative one is to be ignored by its specification. */
function defaultDataDir(environment: ConfigSources['environment']): string {
  const base = nonEmpty(environment['XDG_DATA_HOME']);
  if (base !== undefined && isAbsolute(base)) return join(base, 'agentapi-proxy');
  return join(nonEmpty(environment['HOME']) ?? homedir(), '.local', 'share', 'agentapi-proxy');
}

function mistypedVariables(fields: readonly Field[], environment: ConfigSources['environment']): string[] {
  const known = [...fields.flatMap((field) => field.variables), ...OTHER_VARIABLES];
  return Object.keys(environment).flatMap((name) => {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || known.includes(name)) return [];
    const near = closestName(name, known);
    return [`environment variable ${name} sets nothing${near === null ? '' : `; did you mean ${near}?`}`];
  });
}

function resolvedPath(workingDirectory: string, path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(workingDirectory, path);
}

/** An empty variable counts as unset. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
