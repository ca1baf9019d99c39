// See schemas.ts for the ways of these schemas.
import * as z from 'zod/mini';
import type { components } from './schema.gen.ts';

/** Whom the server takes the caller for: answer of `GET /me`. */
export type Me = components['schemas']['Me'];

/** Roles of users, the mightiest first. */
export type Role = NonNullable<CreateApiKeyRequest['role']>;

/** A key that the server issued, without its secret. */
export type ApiKey = components['schemas']['ApiKey'];

/** A key as it is shown once, when it is made. */
export type IssuedApiKey = components['schemas']['IssuedApiKey'];

/** What a new key gets; everything is optional. */
export type CreateApiKeyRequest = components['schemas']['CreateApiKeyRequest'];

/** How a key is replaced. */
export type RotateApiKeyRequest = components['schemas']['RotateApiKeyRequest'];

/** Answer when something with an id was taken back. */
export type Revocation = components['schemas']['Revocation'];

/** What somebody else may do with a session: look on, or also write. */
export type ShareAccess = SessionShare['access'];

/** A user who may use a session of somebody else. */
export type SessionShare = components['schemas']['SessionShare'];

/** A link through which anybody may look on. */
export type ShareLink = components['schemas']['ShareLink'];

/** A link as it is shown once, when it is made. */
export type IssuedShareLink = components['schemas']['IssuedShareLink'];

/** Everybody who may use a session besides its owner. */
export type SessionShareList = components['schemas']['SessionShareList'];

/** Whom to let into a session. */
export type ShareSessionRequest = components['schemas']['ShareSessionRequest'];

/** How long a link is good: one of the two, or a day. */
export type CreateShareLinkRequest = components['schemas']['CreateShareLinkRequest'];

/** `allowed`: done. `denied`: refused. `failed`: allowed, but it did not work. */
export type AuditOutcome = AuditEntry['outcome'];

/** Something that was done, or refused. */
export type AuditEntry = components['schemas']['AuditEntry'];

/** One page of the audit log, newest entry first. */
export type AuditPage = components['schemas']['AuditPage'];

/** Body of `GET /me`. */
export const meSchema: z.ZodMiniType<Me> = z.looseObject({
  user_id: z.string(),
  role: z.string(),
  permissions: z.array(z.string()),
  authentication: z.enum(['on', 'off']),
  expires_at: z.optional(z.string()),
  session_id: z.optional(z.string()),
  credential: z.enum(['none', 'header', 'cookie']),
  key: z.optional(z.looseObject({ id: z.string(), name: z.nullable(z.string()) })),
  server: z.looseObject({
    version: z.string(),
    agent_server: z.enum(['embedded', 'external']),
    default_agent: z.string(),
    persistence: z.boolean(),
    github: z.looseObject({ host: z.string(), credentials: z.boolean() }),
  }),
  limits: z.looseObject({
    body_bytes: z.number(),
    proxied_body_bytes: z.nullable(z.number()),
    upload_bytes: z.number(),
    tags: z.number(),
    tag_key_chars: z.number(),
    tag_value_chars: z.number(),
    environment_entries: z.number(),
    environment_bytes: z.number(),
    queued_messages: z.number(),
  }),
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
export const apiKeysReplySchema: z.ZodMiniType<components['schemas']['ApiKeyList']> = z.looseObject({
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
