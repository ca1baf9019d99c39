import { stat } from 'node:fs/promises';
import { ConfiguredKeys } from '../../auth/configured-keys.ts';
import type { Config } from '../../config/schema.ts';
import { reasonOf } from './finding.ts';
import type { Finding } from './finding.ts';

/** The file with API keys, if the configuration names one. */
export async function checkKeysFile({ auth }: Config): Promise<readonly Finding[]> {
  const check = 'keys file';
  const { keys_file: path } = auth;
  if (!auth.enabled || path === '') return [];
  try {
    const count = new ConfiguredKeys(auth).reload();
    const { mode } = await stat(path);
    if ((mode & 0o037) !== 0) {
      return [
        {
          check,
          verdict: 'warning',
          text: `${path} is open to other users (mode ${(mode & 0o777).toString(8)})`,
          advice: `chmod 600 ${path}`,
        },
      ];
    }
    return [{ check, verdict: 'ok', text: `${path}, ${count} ${count === 1 ? 'key' : 'keys'}` }];
  } catch (error) {
    return [{ check, verdict: 'broken', text: reasonOf(error) }];
  }
}
