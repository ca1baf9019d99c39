import type { ApiKeyRecord } from '../store/api-keys.ts';

/** What people and programs see of a key; the key itself is not in it. */
export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  /** Enough of the key to recognise it. */
  readonly hint: string;
  readonly user_id: string;
  readonly role: string;
  readonly permissions: string[];
  readonly created_by: string;
  /** This and the others: RFC 3339. */
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
}

export function viewOfKey(record: ApiKeyRecord): ApiKeyView {
  return {
    id: record.id,
    name: record.label,
    hint: record.hint,
    user_id: record.userId,
    role: record.role,
    permissions: [...record.permissions],
    created_by: record.createdBy,
    created_at: record.createdAt.toISOString(),
    expires_at: record.expiresAt?.toISOString() ?? null,
    revoked_at: record.revokedAt?.toISOString() ?? null,
    last_used_at: record.lastUsedAt?.toISOString() ?? null,
  };
}
