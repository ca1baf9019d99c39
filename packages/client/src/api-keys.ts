import {
  apiKeysReplySchema,
  issuedApiKeySchema,
  revocationSchema,
  type ApiKey,
  type CreateApiKeyRequest,
  type IssuedApiKey,
  type Revocation,
  type RotateApiKeyRequest,
} from './access-schemas.ts';
import { queryOf } from './paging.ts';
import { pathSegment } from './path-segment.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Options of {@link ApiKeys.list}. */
export interface ApiKeyListOptions extends CallOptions {
  /** Holder; a filter for administrators. */
  readonly user_id?: string | undefined;
}

/** The keys that the server issued; those of its configuration are not among them. */
export class ApiKeys {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The caller's keys; for administrators everybody's. */
  async list({ user_id, ...options }: ApiKeyListOptions = {}): Promise<readonly ApiKey[]> {
    const query = queryOf({ user_id });
    const call = { ...options, method: 'GET', path: '/api-keys', query } as const;
    return (await this.#transport.json(call, apiKeysReplySchema)).api_keys;
  }

  /** Makes a key. Its secret is in this answer only. */
  create(request: CreateApiKeyRequest = {}, options: CallOptions = {}): Promise<IssuedApiKey> {
    const call = { ...options, method: 'POST', path: '/api-keys', json: request } as const;
    return this.#transport.json(call, issuedApiKeySchema);
  }

  /** Makes a key that replaces this one, which is good for a while longer. */
  rotate(id: string, request: RotateApiKeyRequest = {}, options: CallOptions = {}): Promise<IssuedApiKey> {
    const path = `${pathOf(id)}/rotate`;
    return this.#transport.json({ ...options, method: 'POST', path, json: request }, issuedApiKeySchema);
  }

  /** Ends a key at once, with everything that is open under it. */
  revoke(id: string, options: CallOptions = {}): Promise<Revocation> {
    return this.#transport.json({ ...options, method: 'DELETE', path: pathOf(id) }, revocationSchema);
  }
}

function pathOf(id: string): string {
  return `/api-keys/${pathSegment('key', id)}`;
}
