import { constants } from 'node:fs';
import { access, copyFile, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import SqliteFile from 'better-sqlite3';
import { isPersistent } from '../../config/consistency.ts';
import type { Config } from '../../config/schema.ts';
import { STORE_FILE } from '../../open-store.ts';
import { checkKeys } from '../../store/encryption-keys.ts';
import { configuredKeys, KEY_FILE_NAME, temporaryKeys } from '../../store/key-source.ts';
import type { KeySource } from '../../store/key-source.ts';
import { missingSteps } from '../../store/migrate.ts';
import { postgresEngine } from '../../store/postgres.ts';
import { sqliteEngine } from '../../store/sqlite.ts';
import type { Engine } from '../../store/store.ts';
import { reasonOf } from './finding.ts';
import type { Finding } from './finding.ts';

const MEBIBYTE = 1024 ** 2;
/** Less is used up by a few sessions. */
const LITTLE_SPACE_BYTES = 1024 * MEBIBYTE;
/** The store needs so much to write at all. */
const NO_SPACE_BYTES = 32 * MEBIBYTE;

/** The folder that holds everything: rights and room. */
export async function checkDataFolder({ data_dir: path }: Config): Promise<readonly Finding[]> {
  const check = 'data folder';
  const existing = await nearestExisting(path);
  const findings: Finding[] = [];
  try {
    const { uid, mode } = await stat(existing);
    await access(existing, constants.W_OK | constants.X_OK);
    const ownUid = process.getuid?.();
    if (existing !== path) {
      findings.push({ check, verdict: 'ok', text: `${path} will be made at the first start` });
    } else if (ownUid !== undefined && uid !== ownUid) {
      findings.push({
        check,
        verdict: 'broken',
        text: `${path} belongs to another user (uid ${uid})`,
        advice: 'Run this as the user of the server, or choose another data_dir.',
      });
    } else if ((mode & 0o077) !== 0) {
      findings.push({
        check,
        verdict: 'warning',
        text: `${path} is open to other users (mode ${(mode & 0o777).toString(8)})`,
        advice: `chmod 700 ${path}`,
      });
    } else findings.push({ check, verdict: 'ok', text: path });
  } catch (error) {
    findings.push({
      check,
      verdict: 'broken',
      text: `${path} cannot be written: ${reasonOf(error)}`,
      advice: 'Correct its owner and mode, or choose another data_dir.',
    });
  }
  return [...findings, ...(await checkSpace(existing))];
}

async function checkSpace(path: string): Promise<readonly Finding[]> {
  const check = 'free space';
  const system = await statfs(path).catch(() => null);
  if (system === null) return [];
  const bytes = system.bavail * system.bsize;
  const text = `${Math.floor(bytes / MEBIBYTE).toLocaleString('en')} MiB at ${path}`;
  if (bytes >= LITTLE_SPACE_BYTES) return [{ check, verdict: 'ok', text }];
  const verdict = bytes < NO_SPACE_BYTES ? 'broken' : 'warning';
  return [{ check, verdict, text, advice: 'Make room, or choose a data_dir on another disk.' }];
}

/** The store and the key that seals its secrets. Nothing is written to it. */
export async function checkStore(config: Config): Promise<readonly Finding[]> {
  const check = 'store';
  if (!isPersistent(config)) {
    return [
      { check, verdict: 'ok', text: 'in memory: sessions, profiles and keys are gone with the server' },
    ];
  }
  const { url } = config.store;
  try {
    if (url !== null) return await checkEngine(config, postgresEngine(url.reveal(), { poolSize: 1 }));
    const path = join(config.data_dir, STORE_FILE);
    if (await isThere(path))
      return await withCopy(path, async (copy) => checkEngine(config, sqliteEngine(copy, path)));
    return [
      { check, verdict: 'ok', text: `${path} will be made at the first start` },
      await checkNewKey(config),
    ];
  } catch (error) {
    return [{ check, verdict: 'broken', text: reasonOf(error) }];
  }
}

async function checkEngine(config: Config, engine: Engine): Promise<readonly Finding[]> {
  const { db, dialect, location } = engine;
  try {
    const missing = await missingSteps(db, dialect, location);
    if (missing.length > 0) {
      const text = `${location} will be brought to this version at the next start (${missing.join(', ')})`;
      return [{ check: 'store', verdict: 'ok', text }, await checkNewKey(config)];
    }
    const ok: Finding = { check: 'store', verdict: 'ok', text: location };
    const check = 'encryption key';
    try {
      const keys = looking(config);
      const { keyring } = await checkKeys(db, keys, location);
      return [ok, { check, verdict: 'ok', text: `${keys.name} opens the store (key ${keyring.newest.id})` }];
    } catch (error) {
      return [ok, { check, verdict: 'broken', text: reasonOf(error) }];
    }
  } finally {
    await db.destroy();
  }
}

async function checkNewKey(config: Config): Promise<Finding> {
  const check = 'encryption key';
  try {
    const keys = looking(config);
    await keys.load(true);
    const willMake = await isMadeLater(config);
    return {
      check,
      verdict: 'ok',
      text: willMake ? `${keys.name} will be made at the first start` : keys.name,
    };
  } catch (error) {
    return { check, verdict: 'broken', text: reasonOf(error) };
  }
}

/** The configured keys, except that a missing file is not made. */
function looking(config: Config): KeySource {
  const { key, key_file: keyFile } = config.encryption;
  const keys = configuredKeys({ key, keyFile, dataDir: config.data_dir });
  return {
    name: keys.name,
    load: async (create) =>
      create && (await isMadeLater(config)) ? temporaryKeys().load(true) : keys.load(create),
    addKey: () => Promise.reject(new Error('this only looks')),
  };
}

async function isMadeLater(config: Config): Promise<boolean> {
  const { key, key_file: keyFile } = config.encryption;
  if (key !== undefined || keyFile !== undefined) return false;
  return !(await isThere(join(config.data_dir, KEY_FILE_NAME)));
}

/** A copy of the database, because even reading one makes files beside it. Secrets in it are sealed. */
async function withCopy<Result>(path: string, work: (copy: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-doctor-'));
  try {
    const copy = join(folder, STORE_FILE);
    if (await isThere(`${path}-shm`)) {
      // Somebody has it open, and may write meanwhile.
      const file = new SqliteFile(path, { readonly: true });
      try {
        await file.backup(copy);
      } finally {
        file.close();
      }
    } else {
      await copyFile(path, copy);
      if (await isThere(`${path}-wal`)) await copyFile(`${path}-wal`, `${copy}-wal`);
    }
    return await work(copy);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    if ((await isThere(at)) || at === dirname(at)) return at;
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
