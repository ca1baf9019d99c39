import type { ShareAccess } from '@agentapi-proxy/client';
import type { Duration, LinkDuration } from './share-until.ts';

/** What is asked before a session is shared; the links that were made are no part of it. */
export interface ShareForm {
  /** Whom with. */
  readonly user: string;
  readonly access: ShareAccess;
  readonly until: Duration;
  /** How long the next link is good. */
  readonly linkUntil: LinkDuration;
}

/** What the form shows at first. */
export const NEW_SHARE: ShareForm = { user: '', access: 'read', until: 'session', linkUntil: 'day' };
