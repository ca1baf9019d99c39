import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Secret } from '../config/secret.ts';
import { KEY_BYTES, Keyring, SealKey } from './keyring.ts';
import { StoreError } from './store-error.ts';

/** Where encryption keys come from. */
export interface KeySource {
  /** For messages, such as `the file /data/encryption.key`. */
  readonly name: string;
  /**
   * Reads the keys.
   * @param create - make a key if there is none; only for a store in which nothing is sealed yet.
   * @throws StoreError `key` when there is none, or it is no key.
   */
  load(create: boolean): Promise<Keyring>;
  /**
   * Makes another key, which seals from now on wherever the keys are read again.
   * @returns all keys.
   * @throws StoreError `key` when only the operator can do that; the message says how.
   */
  addKey(): Promise<Keyring>;
}

export const KEY_FILE_NAME = 'encryption.key';

/** The environment variable of `encryption.key`, for messages. */
const KEY_VARIABLE = 'AGENTAPI_PROXY_ENCRYPTION_KEY';

/**
 * The keys as configured: `encryption.key`, else `encryption.key_file`, else the file `encryption.key` in the
 * data folder, which is made when it is needed first.
 */
export function configuredKeys(options: {
  readonly key: Secret | undefined;
  readonly keyFile: string | undefined;
  readonly dataDir: string;
}): KeySource {
  const { key, keyFile, dataDir } = options;
  if (key !== undefined) return new GivenKeys(key);
  return keyFile === undefined
    ? new KeyFile(join(dataDir, KEY_FILE_NAME), true)
    : new KeyFile(keyFile, false);
}

/** A key that lives as long as the process, for a store that does, too. */
export function temporaryKeys(): KeySource {
  const keys = [new SealKey(randomBytes(KEY_BYTES))];
  const keyring = (): Promise<Keyring> => Promise.resolve(new Keyring(keys));
  return {
    name: 'a key for this run only',
    load: keyring,
    addKey: () => {
      keys.push(new SealKey(randomBytes(KEY_BYTES)));
      return keyring();
    },
  };
}

/** Keys that the configuration or the environment carries: one or several, oldest first. */
class GivenKeys implements KeySource {
  readonly name = `encryption.key (${KEY_VARIABLE})`;
  readonly #text: Secret;

  constructor(text: Secret) {
    this.#text = text;
  }

  load(): Promise<Keyring> {
    // A promise also when it fails.
    return Promise.resolve().then(() => parseKeys(this.#text.reveal(), this.name));
  }

  addKey(): Promise<Keyring> {
    return Promise.reject(
      new StoreError(
        'key',
        `The server cannot add a key to ${this.name}: append one to its value ("OLD,NEW", made with "openssl rand -base64 32"), ` +
          'restart the server, and rotate again',
      ),
    );
  }
}

/** A file of keys, one a line, oldest first; empty lines and lines with `#` do not count. */
export class KeyFile implements KeySource {
  readonly name: string;
  readonly path: string;
  readonly #mayCreate: boolean;

  /** @param mayCreate - whether a missing file is made, mode 0600, for a new store. */
  constructor(path: string, mayCreate: boolean) {
    this.path = path;
    this.name = `the file ${path}`;
    this.#mayCreate = mayCreate;
  }

  async load(create: boolean): Promise<Keyring> {
    const text = await this.#read();
    if (text !== null) {
      await this.#refuseOpenMode();
      return parseKeys(text, this.name);
    }
    if (!this.#mayCreate) {
      throw new StoreError(
        'key',
        `There is no encryption key file ${this.path}; make one with "openssl rand -base64 32", mode 0600, or correct encryption.key_file`,
      );
    }
    if (!create) {
      throw new StoreError(
        'key',
        `The encryption key file ${this.path} is missing, but the store holds secrets sealed with it. Put the file back ` +
          'from your backup, or name the key with encryption.key_file or ' +
          `${KEY_VARIABLE}; without the key the secrets cannot be read. Nothing was changed`,
      );
    }
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    return this.addKey();
  }

  async addKey(): Promise<Keyring> {
    const before = (await this.#read()) ?? '';
    const separator = before === '' || before.endsWith('\n') ? '' : '\n';
    const text = `${before}${separator}${randomBytes(KEY_BYTES).toString('base64')}\n`;
    const draft = `${this.path}.new`;
    try {
      await rm(draft, { force: true });
      // The whole file or none, and it must outlive a power cut that the store outlives.
      await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
      await chmod(draft, 0o600);
      await rename(draft, this.path);
      await syncFolder(dirname(this.path));
    } catch (error) {
      throw new StoreError(
        'key',
        `The encryption key file ${this.path} cannot be written: ${reasonOf(error)}`,
        { cause: error },
      );
    }
    return parseKeys(text, this.name);
  }

  async #read(): Promise<string | null> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw new StoreError('key', `The encryption key file ${this.path} cannot be read: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  async #refuseOpenMode(): Promise<void> {
    const { mode } = await stat(this.path);
    // Groups may read: that is how a mounted secret reaches a user other than root.
    if ((mode & 0o037) === 0) return;
    throw new StoreError(
      'key',
      `The encryption key file ${this.path} is open to other users (mode ${(mode & 0o777).toString(8)}); run: chmod 600 ${this.path}`,
    );
  }
}

/** @throws StoreError `key`; the message never quotes the text. */
function parseKeys(text: string, name: string): Keyring {
  const words = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(/[\s,]+/))
    .filter((word) => word !== '');
  if (words.length === 0) throw new StoreError('key', `There is no encryption key in ${name}`);
  const keys = words.map((word, index) => {
    const bytes = decodeKey(word);
    if (bytes !== null) return new SealKey(bytes);
    throw new StoreError(
      'key',
      `Encryption key ${index + 1} in ${name} is no key: expected ${KEY_BYTES} bytes in base64 (44 characters) or hexadecimal (64), ` +
        `found ${word.length} characters. Make one with "openssl rand -base64 32"`,
    );
  });
  return new Keyring(keys);
}

function decodeKey(word: string): Buffer | null {
  if (/^[0-9a-fA-F]{64}$/.test(word)) return Buffer.from(word, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(word)) return null;
  const bytes = Buffer.from(word, 'base64');
  return bytes.length === KEY_BYTES ? bytes : null;
}

/** Makes the entry of a new file durable; file systems that cannot do that for folders do without. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync().catch(() => undefined);
  } finally {
    await handle.close();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
