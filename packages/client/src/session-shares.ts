import {
  issuedShareLinkSchema,
  revocationSchema,
  sessionShareListSchema,
  sessionShareSchema,
  type CreateShareLinkRequest,
  type IssuedShareLink,
  type Revocation,
  type SessionShare,
  type SessionShareList,
  type ShareSessionRequest,
} from './access-schemas.ts';
import { pathSegment } from './path-segment.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Who may use a session besides its owner; for the owner and administrators. */
export class SessionShares {
  readonly #transport: Transport;
  readonly #session: string;

  /**
   * @internal
   * @param session - path of the session's record
   */
  constructor(transport: Transport, session: string) {
    this.#transport = transport;
    this.#session = session;
  }

  /** Users and links. */
  list(options: CallOptions = {}): Promise<SessionShareList> {
    const call = { ...options, method: 'GET', path: `${this.#session}/shares` } as const;
    return this.#transport.json(call, sessionShareListSchema);
  }

  /** Lets a user in, or changes what they may do. */
  grant(request: ShareSessionRequest, options: CallOptions = {}): Promise<SessionShare> {
    const call = { ...options, method: 'POST', path: `${this.#session}/shares`, json: request } as const;
    return this.#transport.json(call, sessionShareSchema);
  }

  /** Makes a link through which anybody may look on. Its token is in this answer only, and works as `apiKey`. */
  createLink(request: CreateShareLinkRequest = {}, options: CallOptions = {}): Promise<IssuedShareLink> {
    const call = { ...options, method: 'POST', path: `${this.#session}/links`, json: request } as const;
    return this.#transport.json(call, issuedShareLinkSchema);
  }

  /** Takes a share or a link back at once, with everything that is open under it. */
  revoke(shareId: string, options: CallOptions = {}): Promise<Revocation> {
    const path = `${this.#session}/shares/${pathSegment('share', shareId)}`;
    return this.#transport.json({ ...options, method: 'DELETE', path }, revocationSchema);
  }
}
