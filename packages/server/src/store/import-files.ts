import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { MessageTemplate, RepositoryEntry } from '../profiles/profile.ts';
import type { NewProfile } from './profiles.ts';
import type { NewSession } from './session-record.ts';
import type { Store, StoreTables } from './store.ts';

/** A file of the reference cannot be imported; nothing of it was. `message` names the file. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

export interface ImportReport {
  /** How many records were added. */
  readonly imported: number;
  /** Records that were left out, each as a sentence. */
  readonly skipped: readonly string[];
  /**
   * Values that were left out, such as `MY_KEY of session 4711`: the reference encrypted them with a key that only
   * its own program knows.
   */
  readonly unreadable: readonly string[];
}

/** Go's zero time, which the reference writes where nobody gave one (DF-52). */
const ZERO_TIME = '0001-01-01T00:00:00Z';

/** The reference marks what it has encrypted (proxy-api section 8.2). */
const ENCRYPTED = /^ENC:/;

/** What every session of the reference runs. */
const REFERENCE_AGENT = 'claude';

const textMap = z.record(z.string(), z.string()).nullish();
const time = z.iso
  .datetime({ offset: true })
  .transform((text) => (text === ZERO_TIME ? null : new Date(text)));

const sessionsFile = z.object({
  sessions: z
    .array(
      z.object({
        id: z.string(),
        port: z.int().min(0).max(65_535).default(0),
        started_at: time,
        user_id: z.string().default(''),
        environment: textMap,
        tags: textMap,
      }),
    )
    .nullish(),
});

const profilesFile = z
  .array(
    z.object({
      id: z.string(),
      user_id: z.string(),
      name: z.string(),
      description: z.string().default(''),
      environment: textMap,
      repository_history: z
        .array(
          z.object({
            id: z.string().default(''),
            url: z.string(),
            name: z.string().default(''),
            branch: z.string().nullish(),
            last_commit: z.string().nullish(),
            metadata: textMap,
            accessed_at: time.nullish(),
          }),
        )
        .nullish(),
      system_prompt: z.string().default(''),
      message_templates: z
        .array(
          z.object({
            id: z.string().default(''),
            name: z.string().default(''),
            content: z.string().default(''),
            variables: z.array(z.string()).nullish(),
            category: z.string().nullish(),
            metadata: textMap,
            created_at: time.nullish(),
          }),
        )
        .nullish(),
      created_at: time.nullish(),
      updated_at: time.nullish(),
      last_used_at: time.nullish(),
    }),
  )
  .nullable();

type FileProfile = NonNullable<z.output<typeof profilesFile>>[number];

/**
 * Imports the session file of the reference (proxy-api section 8.1): its sessions appear as stopped ones, with their
 * owners, tags, times and readable variables. A file is imported once; a session that is there already stays as it is.
 * @throws ImportError when the file cannot be read; StoreError. Nothing was imported then.
 */
export async function importSessions(
  store: Store,
  path: string,
  instanceId: string,
  now: Date,
): Promise<ImportReport> {
  const { value, marker } = await readJson(path, sessionsFile);
  return once(store, marker, path, now, async (tables) => {
    const result = { imported: 0, skipped: new Array<string>(), unreadable: new Array<string>() };
    for (const entry of value.sessions ?? []) {
      const name = `session ${entry.id}`;
      if (!z.uuid().safeParse(entry.id).success) result.skipped.push(`${name}: the id is no UUID`);
      else if ((await tables.sessions.get(entry.id)) !== null)
        result.skipped.push(`${name}: it is there already`);
      else {
        const environment = readableValues(entry.environment, name, result.unreadable);
        const createdAt = entry.started_at ?? now;
        const session: NewSession = {
          facts: {
            id: entry.id,
            ownerId: entry.user_id,
            agent: REFERENCE_AGENT,
            agentType: REFERENCE_AGENT,
            agentServer: 'external',
            tags: entry.tags ?? {},
            environmentNames: Object.keys(entry.environment ?? {}),
            createdAt,
          },
          instanceId,
          port: entry.port,
          start: {
            environment,
            agent: { command: REFERENCE_AGENT, args: [], env: {} },
            agentArgs: [],
            systemPrompt: null,
          },
          message: null,
        };
        await tables.sessions.insert(session);
        await tables.sessions.transition(entry.id, ['creating'], 'stopped', {
          at: now < createdAt ? createdAt : now,
          reason: `Imported from ${path}; its processes belonged to another server`,
        });
        result.imported += 1;
      }
    }
    return result;
  });
}

/**
 * Imports the profile file of the reference (proxy-api section 9.3). Entries without an id or a time get one (DF-52).
 * A file is imported once; a profile that is there already stays as it is.
 * @throws ImportError when the file cannot be read; StoreError. Nothing was imported then.
 */
export async function importProfiles(store: Store, path: string, now: Date): Promise<ImportReport> {
  const { value, marker } = await readJson(path, profilesFile);
  return once(store, marker, path, now, async (tables) => {
    const result = { imported: 0, skipped: new Array<string>(), unreadable: new Array<string>() };
    for (const entry of value ?? []) {
      const name = `profile ${entry.id}`;
      if (!z.uuid().safeParse(entry.id).success) result.skipped.push(`${name}: the id is no UUID`);
      else if ((await tables.profiles.get(entry.id)) !== null)
        result.skipped.push(`${name}: it is there already`);
      else {
        await tables.profiles.insert(
          profileOf(entry, readableValues(entry.environment, name, result.unreadable), now),
        );
        result.imported += 1;
      }
    }
    return result;
  });
}

function profileOf(entry: FileProfile, environment: Readonly<Record<string, string>>, now: Date): NewProfile {
  const createdAt = entry.created_at ?? now;
  const { name } = entry;
  return {
    id: entry.id,
    userId: entry.user_id,
    // The reference takes blank names; here a profile has one.
    name: name.trim() === '' ? 'Imported profile' : name.trim(),
    description: entry.description,
    environment,
    repositoryHistory: (entry.repository_history ?? []).map((repository): RepositoryEntry => ({
      id: repository.id === '' ? randomUUID() : repository.id,
      url: repository.url,
      name: repository.name,
      branch: repository.branch ?? null,
      lastCommit: repository.last_commit ?? null,
      metadata: repository.metadata ?? {},
      accessedAt: repository.accessed_at ?? createdAt,
    })),
    systemPrompt: entry.system_prompt,
    messageTemplates: (entry.message_templates ?? []).map((template): MessageTemplate => ({
      id: template.id === '' ? randomUUID() : template.id,
      name: template.name,
      content: template.content,
      variables: template.variables ?? [],
      category: template.category ?? null,
      metadata: template.metadata ?? {},
      createdAt: template.created_at ?? createdAt,
    })),
    agent: null,
    agentArgs: [],
    script: null,
    repository: null,
    isDefault: false,
    createdAt,
    updatedAt: entry.updated_at ?? createdAt,
    lastUsedAt: entry.last_used_at ?? null,
  };
}

function readableValues(
  environment: Readonly<Record<string, string>> | null | undefined,
  record: string,
  unreadable: string[],
): Readonly<Record<string, string>> {
  const entries = Object.entries(environment ?? {});
  const encrypted = entries.filter(([, value]) => ENCRYPTED.test(value));
  unreadable.push(...encrypted.map(([name]) => `${name} of ${record}`));
  return Object.fromEntries(entries.filter(([, value]) => !ENCRYPTED.test(value)));
}

/** All of a file or nothing, and the same file never again: what was deleted since must not come back. */
async function once(
  store: Store,
  marker: string,
  path: string,
  now: Date,
  work: (tables: StoreTables) => Promise<ImportReport>,
): Promise<ImportReport> {
  return store.transaction(async (tables) => {
    const before = await tables.info.get(marker);
    if (before !== null)
      return { imported: 0, skipped: [`${path}: it was imported at ${before}`], unreadable: [] };
    const report = await work(tables);
    await tables.info.set(marker, now.toISOString());
    return report;
  });
}

async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<{ readonly value: z.output<Schema>; readonly marker: string }> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImportError(`${path} cannot be read: ${reason}`, { cause: error });
  }
  const parsed = schema.safeParse(parseJson(content.toString('utf8'), path));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    // Paths and rules only: values may be secrets.
    throw new ImportError(
      `${path} is not what it should be at ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  return { value: parsed.data, marker: `import:${createHash('sha256').update(content).digest('hex')}` };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The cause would quote the text.
    throw new ImportError(
      `${path} is damaged: it is not JSON. Nothing was imported, and the file was left alone`,
    );
  }
}
