// See schemas.ts for the ways of these schemas.
import * as z from 'zod/mini';

/** Whom the server takes the caller for: answer of `GET /me`. */
export interface Me {
  readonly user_id: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly authentication: 'on' | 'off';
  /** When the key ends; absent for keys that do not. */
  readonly expires_at?: string | undefined;
  /** The one session that a share link opens. */
  readonly session_id?: string | undefined;
}

/** Roles of users, the mightiest first. */
export type Role = 'admin' | 'user' | 'readonly';

/** A key that the server issued, without its secret. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** Enough of the key to recognise it. */
  readonly hint: string;
  /** Whose key it is. */
  readonly user_id: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly created_by: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
}

/** A key as it is shown once, when it is made. */
export interface IssuedApiKey extends ApiKey {
  /** The secret itself; the server cannot show it again. */
  readonly key: string;
}

/** What a new key gets; everything is optional. */
export interface CreateApiKeyRequest {
  /** For people. */
  readonly name?: string | undefined;
  /** Holder; only administrators may name somebody else. */
  readonly user_id?: string | undefined;
  readonly role?: Role | undefined;
  /** Default: those of the role, as far as the caller has them. */
  readonly permissions?: readonly string[] | undefined;
  /** RFC 3339; default: never. */
  readonly expires_at?: string | null | undefined;
}

/** How a key is replaced. */
export interface RotateApiKeyRequest {
  /** How long the old key is still good, in seconds; 0 = no more. Default: a day. */
  readonly overlap_seconds?: number | undefined;
  /** Of the new key; default: as the old one. */
  readonly expires_at?: string | null | undefined;
}

/** Answer when something with an id was taken back. */
export interface Revocation {
  readonly message: string;
  readonly id: string;
}

/** What somebody else may do with a session: look on, or also write. */
export type ShareAccess = 'read' | 'write';

/** A user who may use a session of somebody else. */
export interface SessionShare {
  readonly id: string;
  readonly session_id: string;
  readonly user_id: string;
  readonly access: ShareAccess;
  readonly created_by: string;
  readonly created_at: string;
  /** `null`: as long as the session. */
  readonly expires_at: string | null;
}

/** A link through which anybody may look on. */
export interface ShareLink {
  readonly id: string;
  readonly session_id: string;
  readonly created_by: string;
  readonly created_at: string;
  readonly expires_at: string;
}

/** A link as it is shown once, when it is made. */
export interface IssuedShareLink extends ShareLink {
  /** Works in the place of a key, for this session only. The server cannot show it again. */
  readonly token: string;
}

/** Everybody who may use a session besides its owner. */
export interface SessionShareList {
  readonly shares: readonly SessionShare[];
  readonly links: readonly ShareLink[];
}

/** Whom to let into a session. */
export interface ShareSessionRequest {
  readonly user_id: string;
  readonly access: ShareAccess;
  /** RFC 3339; default: with the session. */
  readonly expires_at?: string | null | undefined;
}

/** How long a link is good: one of the two, or a day. */
export interface CreateShareLinkRequest {
  readonly expires_at?: string | undefined;
  readonly ttl_seconds?: number | undefined;
}

/** `allowed`: done. `denied`: refused. `failed`: allowed, but it did not work. */
export type AuditOutcome = 'allowed' | 'denied' | 'failed';

/** Something that was done, or refused. */
export interface AuditEntry {
  readonly id: number;
  readonly at: string;
  readonly user_id: string | null;
  readonly key_id: string | null;
  readonly action: string;
  readonly outcome: AuditOutcome;
  readonly target_kind: string | null;
  readonly target_id: string | null;
  readonly remote_address: string | null;
  readonly request_id: string | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

/** One page of the audit log, newest entry first. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Pass it as `cursor` for the next page; absent on the last one. */
  readonly next_cursor?: string | undefined;
}

/** Body of `GET /me`. */
export const meSchema: z.ZodMiniType<Me> = z.looseObject({
  user_id: z.string(),
  role: z.string(),
  permissions: z.array(z.string()),
  authentication: z.enum(['on', 'off']),
  expires_at: z.optional(z.string()),
  session_id: z.optional(z.string()),
});

const keyShape = {
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  user_id: z.string(),
  role: z.string(),
  permissions: z.array(z.string()),
  created_by: z.string(),
  created_at: z.string(),
  expires_at: z.nullable(z.string()),
  revoked_at: z.nullable(z.string()),
  last_used_at: z.nullable(z.string()),
};

/** Body of `GET /api-keys`. */
export const apiKeysReplySchema: z.ZodMiniType<{ readonly api_keys: readonly ApiKey[] }> = z.looseObject({
  api_keys: z.array(z.looseObject(keyShape)),
});

/** Body of the answers that issue a key. */
export const issuedApiKeySchema: z.ZodMiniType<IssuedApiKey> = z.looseObject({
  ...keyShape,
  key: z.string(),
});

/** Body of the answers that take something back. */
export const revocationSchema: z.ZodMiniType<Revocation> = z.looseObject({
  message: z.string(),
  id: z.string(),
});

/** Body of `POST /sessions/:id/shares`. */
export const sessionShareSchema: z.ZodMiniType<SessionShare> = z.looseObject({
  id: z.string(),
  session_id: z.string(),
  user_id: z.string(),
  access: z.enum(['read', 'write']),
  created_by: z.string(),
  created_at: z.string(),
  expires_at: z.nullable(z.string()),
});

const linkShape = {
  id: z.string(),
  session_id: z.string(),
  created_by: z.string(),
  created_at: z.string(),
  expires_at: z.string(),
};

/** Body of `POST /sessions/:id/links`. */
export const issuedShareLinkSchema: z.ZodMiniType<IssuedShareLink> = z.looseObject({
  ...linkShape,
  token: z.string(),
});

/** Body of `GET /sessions/:id/shares`. */
export const sessionShareListSchema: z.ZodMiniType<SessionShareList> = z.looseObject({
  shares: z.array(sessionShareSchema),
  links: z.array(z.looseObject(linkShape)),
});

/** Body of `GET /audit`. */
export const auditPageSchema: z.ZodMiniType<AuditPage> = z.looseObject({
  entries: z.array(
    z.looseObject({
      id: z.int(),
      at: z.string(),
      user_id: z.nullable(z.string()),
      key_id: z.nullable(z.string()),
      action: z.string(),
      outcome: z.enum(['allowed', 'denied', 'failed']),
      target_kind: z.nullable(z.string()),
      target_id: z.nullable(z.string()),
      remote_address: z.nullable(z.string()),
      request_id: z.nullable(z.string()),
      details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    }),
  ),
  next_cursor: z.optional(z.string()),
});
