import { queryOf } from './paging.ts';
import { pathSegment } from './path-segment.ts';
import {
  doneReplySchema,
  profileDeletionSchema,
  profileReplySchema,
  profileListSchema,
  type Profile,
  type ProfileDeletion,
  type ProfileRepositoryRequest,
  type ProfileRequest,
  type ProfileTemplateRequest,
} from './profile-schemas.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Options of a call that changes a profile. */
export interface ProfileChangeOptions extends CallOptions {
  /** The `etag` of the version that is meant; another one by now is an {@link ApiError} of kind `conflict`. */
  readonly ifMatch?: string | undefined;
}

/** A profile and which version of it this is. */
export interface VersionedProfile {
  readonly profile: Profile;
  /** For `ifMatch`; `undefined` from servers that keep no versions. */
  readonly etag: string | undefined;
}

/** Options of {@link Profiles.list}. */
export interface ProfileListOptions extends CallOptions {
  /** Owner; a filter for those who may see other people's profiles. */
  readonly user_id?: string | undefined;
}

/** The profiles that the caller may see. */
export class Profiles {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All of them, oldest first. */
  async list({ user_id, ...options }: ProfileListOptions = {}): Promise<readonly Profile[]> {
    const query = queryOf({ user_id });
    const call = { ...options, method: 'GET', path: '/profiles', query } as const;
    return (await this.#transport.json(call, profileListSchema)).profiles;
  }

  /** @throws ApiError of kind `not_found` when there is none */
  get(id: string, options: CallOptions = {}): Promise<VersionedProfile> {
    return this.#versioned({ ...options, method: 'GET', path: pathOf(id) });
  }

  /** Makes a profile of the caller. */
  create(
    request: ProfileRequest & { readonly name: string },
    options: CallOptions = {},
  ): Promise<VersionedProfile> {
    return this.#versioned({ ...options, method: 'POST', path: '/profiles', json: request });
  }

  /** Changes what `request` names; lists and maps are replaced as a whole. */
  update(id: string, request: ProfileRequest, options: ProfileChangeOptions = {}): Promise<VersionedProfile> {
    return this.#versioned({ ...change(options), method: 'PUT', path: pathOf(id), json: request });
  }

  /** Removes a profile; sessions that were started from it go on. */
  delete(id: string, options: ProfileChangeOptions = {}): Promise<ProfileDeletion> {
    const call = { ...change(options), method: 'DELETE', path: pathOf(id) } as const;
    return this.#transport.json(call, profileDeletionSchema);
  }

  /** Adds a repository to the profile's history. */
  async addRepository(
    id: string,
    repository: ProfileRepositoryRequest,
    options: ProfileChangeOptions = {},
  ): Promise<void> {
    const path = `${pathOf(id)}/repositories`;
    await this.#transport.json(
      { ...change(options), method: 'POST', path, json: repository },
      doneReplySchema,
    );
  }

  /** Adds a message template. */
  async addTemplate(
    id: string,
    template: ProfileTemplateRequest,
    options: ProfileChangeOptions = {},
  ): Promise<void> {
    const path = `${pathOf(id)}/templates`;
    await this.#transport.json({ ...change(options), method: 'POST', path, json: template }, doneReplySchema);
  }

  async #versioned(call: Parameters<Transport['jsonWithHeaders']>[0]): Promise<VersionedProfile> {
    const { body, headers } = await this.#transport.jsonWithHeaders(call, profileReplySchema);
    return { profile: body.profile, etag: headers.get('etag') ?? undefined };
  }
}

function pathOf(id: string): string {
  return `/profiles/${pathSegment('profile', id)}`;
}

function change({ ifMatch, ...options }: ProfileChangeOptions) {
  return { ...options, ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }) };
}
