/** The authenticated caller, or the stand-in while authentication is off. */
export interface Principal {
  /** Owner name given to what this caller creates. */
  readonly userId: string;
  /** Only `admin` has meaning: it passes every ownership check on sessions (proxy-api section 3). */
  readonly role: string;
  /** Exact permission names, or `*`. */
  readonly permissions: ReadonlySet<string>;
  /** Id of the issued key or of the link that was presented; keys of the configuration have none. */
  readonly keyId?: string;
  /** What that key is called; absent = nothing. */
  readonly keyName?: string;
  /** When the credential ends, in milliseconds since 1970; absent = never. */
  readonly expiresAt?: number;
  /**
   * Set for whoever has come by the console's cookie. A browser sends that without being asked, so without proof that a
   * page of ours wants it nothing may be changed.
   */
  readonly byCookie?: 'proven' | 'unproven';
  /** Set for the holder of a share link: the one session that may be read, and nothing else. */
  readonly linkedSession?: string;
}

/** Owner of everything while authentication is off and the caller names nobody (PX-078). */
export const ANONYMOUS_USER = 'anonymous';
