import { randomUUID } from 'node:crypto';
import { canAccess, holds, isAdmin } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';
import { AppError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { EditResult, ProfileEdit, ProfileTable } from '../store/profiles.ts';
import { fieldsOf, withRepository, withTemplate } from './profile-input.ts';
import type { ProfileInput, ProfilePolicy, RepositoryInput, TemplateInput } from './profile-input.ts';
import type { Profile } from './profile.ts';
import { withUsedRepository } from './repository-history.ts';

/** What somebody wants with a profile; decides the text of a refusal (PX-192, PX-194, PX-204). */
export type ProfileUse = 'access' | 'update' | 'delete' | 'modify' | 'use';

const REFUSALS = {
  access: 'foreign_profile_access',
  update: 'foreign_profile_update',
  delete: 'foreign_profile_delete',
  modify: 'foreign_profile_modify',
  use: 'foreign_profile_use',
} as const satisfies Record<ProfileUse, ErrorCode>;

/** Everybody's profiles: who may do what with them, and what may be in them. */
export class Profiles {
  readonly #table: ProfileTable;
  readonly #policy: ProfilePolicy;
  readonly #maxPerUser: number;
  readonly #now: () => Date;

  /** @param maxPerUser - most profiles that one user may have. */
  constructor(
    table: ProfileTable,
    policy: ProfilePolicy,
    maxPerUser: number,
    now: () => Date = () => new Date(),
  ) {
    this.#table = table;
    this.#policy = policy;
    this.#maxPerUser = maxPerUser;
    this.#now = now;
  }

  /**
   * Makes a profile of the caller's (PX-187, PX-188).
   * @throws AppError `invalid_profile` and its like, with the path of the field; `too_many_profiles`.
   */
  async create(principal: Principal, input: ProfileInput): Promise<Profile> {
    await this.#checkScript(input);
    const now = this.#now();
    const profile = {
      id: randomUUID(),
      userId: principal.userId,
      ...fieldsOf(input, null, this.#policy, now),
      createdAt: now,
      updatedAt: now,
      lastUsedAt: null,
    };
    const created = await this.#table.insertWithin(profile, this.#maxPerUser);
    if (created !== null) return created;
    throw new AppError('too_many_profiles', {
      message: `You already have ${this.#maxPerUser} profiles, the limit for one user; delete one first`,
    });
  }

  /** The caller's profiles, and for admins everybody's or those of `ownerId` (PX-191, DD-11); oldest first. */
  async list(principal: Principal, ownerId?: string): Promise<readonly Profile[]> {
    if (!isAdmin(principal)) return this.#table.listByOwner(principal.userId);
    return ownerId === undefined ? this.#table.listAll() : this.#table.listByOwner(ownerId);
  }

  /** @throws AppError `profile_not_found`, or a refusal in the words for this use. */
  async find(principal: Principal, id: string, use: ProfileUse): Promise<Profile> {
    const profile = await this.#table.get(id);
    if (profile === null) throw new AppError('profile_not_found');
    checkOwner(principal, profile, use);
    return profile;
  }

  /**
   * The profile to start with: the one of this id, else the caller's default.
   * @throws AppError `profile_id_required` when there is neither (PX-204), and as {@link find}.
   */
  async findForStart(principal: Principal, id: string): Promise<Profile> {
    if (id !== '') return this.find(principal, id, 'use');
    const profile = await this.#table.getDefault(principal.userId);
    if (profile === null) throw new AppError('profile_id_required');
    return profile;
  }

  /**
   * Changes what `input` says, and nothing else (PX-193). `ifVersion`, here and below: the version that the caller
   * has seen; absent = any.
   * @throws AppError as {@link find} and {@link create}; `version_conflict`.
   */
  async update(principal: Principal, id: string, input: ProfileInput, ifVersion?: number): Promise<Profile> {
    await this.#checkScript(input);
    return this.#edit(principal, id, 'update', ifVersion, (present, now) =>
      fieldsOf(input, present, this.#policy, now),
    );
  }

  /** @throws AppError as {@link find}; `version_conflict`. */
  async delete(principal: Principal, id: string, ifVersion?: number): Promise<void> {
    await this.find(principal, id, 'delete');
    const result = await this.#table.delete(id, ifVersion);
    if (result.kind !== 'deleted') throw failureOf(result);
  }

  /** Notes a repository; one that is there already is renewed (PX-197, PX-198). */
  async addRepository(
    principal: Principal,
    id: string,
    input: RepositoryInput,
    ifVersion?: number,
  ): Promise<Profile> {
    return this.#edit(principal, id, 'modify', ifVersion, ({ repositoryHistory }, now) => ({
      repositoryHistory: withRepository(repositoryHistory, input, now),
    }));
  }

  /** Adds a message template (PX-200). */
  async addTemplate(
    principal: Principal,
    id: string,
    input: TemplateInput,
    ifVersion?: number,
  ): Promise<Profile> {
    return this.#edit(principal, id, 'modify', ifVersion, ({ messageTemplates }, now) => ({
      messageTemplates: withTemplate(messageTemplates, input, now),
    }));
  }

  /**
   * Notes that a session with these tags was started from a profile, and its repository (PX-206). A profile that is
   * gone meanwhile is no failure.
   */
  async recordUse(id: string, tags: Readonly<Record<string, string>>): Promise<void> {
    const now = this.#now();
    if ((tags['repository'] ?? '') === '') {
      await this.#table.markUsed(id, now);
      return;
    }
    await this.#table.edit(id, ({ repositoryHistory }) => ({
      repositoryHistory: withUsedRepository(repositoryHistory, tags, now),
      lastUsedAt: now,
      updatedAt: now,
    }));
  }

  /** A file may be changed any moment; the start of a session looks again. */
  async #checkScript({ script }: ProfileInput): Promise<void> {
    if (script) await this.#policy.checkScript(script);
  }

  async #edit(
    principal: Principal,
    id: string,
    use: ProfileUse,
    ifVersion: number | undefined,
    edit: (present: Profile, now: Date) => ProfileEdit,
  ): Promise<Profile> {
    const result = await this.#table.edit(id, (present) => {
      checkOwner(principal, present, use);
      // After the owner: a stranger must not learn the version.
      if (ifVersion !== undefined && present.version !== ifVersion) throw conflict(present.version);
      const now = this.#now();
      return { ...edit(present, now), updatedAt: now };
    });
    if (result.kind !== 'updated') throw failureOf(result);
    return result.profile;
  }
}

/**
 * Whether the caller may read the values of a profile's variables: only its owner, with a key that may change
 * them. Admins and keys that only read see the names.
 */
export function mayReadEnvironment(principal: Principal, profile: Profile): boolean {
  return principal.userId === profile.userId && holds(principal, 'profile:update');
}

function checkOwner(principal: Principal, { userId }: Profile, use: ProfileUse): void {
  if (!canAccess(principal, userId)) throw new AppError(REFUSALS[use]);
}

function failureOf(result: Exclude<EditResult, { kind: 'updated' }>): AppError {
  return result.kind === 'missing' ? new AppError('profile_not_found') : conflict(result.version);
}

function conflict(version: number): AppError {
  return new AppError('version_conflict', {
    message: `The profile has been changed since you read it; its version is ${version} now`,
    details: { version },
  });
}
