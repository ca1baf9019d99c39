/** Where a redirect target comes from. */
export interface LocationBase {
  /** Path under which the client sees the agent server's `/`. */
  readonly prefix: string;
  /** Path of the request at the agent server, with its query. */
  readonly path: string;
  /** Port of the agent server on loopback. */
  readonly port: number;
}

/** Something a browser would resolve in more than one step: parent folders, or backslashes read as slashes. */
const NEEDS_RESOLVING = /\.\.|%2e|\\/i;

/**
 * A `Location` as the client must see it (PX-145): paths of the agent server move below the session, also when
 * they name its own address; foreign URLs stay. The result never leads out of the session by `..` (DF-23).
 */
export function rebaseLocation(location: string, base: LocationBase): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(location) || /^[/\\]{2}/.test(location)) {
    const own = ownPath(location, base.port);
    return own === null ? location : below(own, base.prefix);
  }
  if (NEEDS_RESOLVING.test(location)) {
    const at = `http://127.0.0.1:${base.port}`;
    if (!URL.canParse(location, at + base.path)) return location;
    const resolved = new URL(location, at + base.path);
    return resolved.origin === at
      ? below(resolved.pathname + resolved.search + resolved.hash, base.prefix)
      : location;
  }
  return location.startsWith('/') ? below(location, base.prefix) : location;
}

/** An agent that honours `X-Forwarded-Prefix` has put it there already. */
function below(path: string, prefix: string): string {
  const rest = path.startsWith(prefix) ? path.charAt(prefix.length) : '-';
  return rest === '' || rest === '/' || rest === '?' || rest === '#' ? path : prefix + path;
}

/** Path, query and fragment of a URL that names the agent server itself, else `null`. */
function ownPath(location: string, port: number): string | null {
  if (!URL.canParse(location, 'http://127.0.0.1')) return null;
  const url = new URL(location, 'http://127.0.0.1');
  if (url.protocol !== 'http:' || url.port !== (port === 80 ? '' : String(port))) return null;
  const local = url.hostname === '127.0.0.1' || url.hostname === 'localhost' || url.hostname === '[::1]';
  return local ? url.pathname + url.search + url.hash : null;
}
