/** The authenticated caller, or the stand-in while authentication is off. */
export interface Principal {
  /** Owner name given to what this caller creates. */
  readonly userId: string;
  /** Only `admin` has meaning: it passes every ownership check on sessions (proxy-api section 3). */
  readonly role: string;
  /** Exact permission names, or `*`. */
  readonly permissions: ReadonlySet<string>;
}

/** Owner of everything while authentication is off and the caller names nobody (PX-078). */
export const ANONYMOUS_USER = 'anonymous';
