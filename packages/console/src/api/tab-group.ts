/** What tabs of one browser have in common. */
export interface TabGroup {
  /** Who leads: the tab that holds the lock of this name. */
  readonly locks: TabLocks;
  readonly openChannel: (name: string) => TabChannel;
}

/** As `navigator.locks`. */
export interface TabLocks {
  request(name: string, options: LockOptions, work: () => Promise<void>): Promise<unknown>;
}

/** As a `BroadcastChannel`. */
export interface TabChannel {
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  postMessage(message: unknown): void;
  close(): void;
}

/** The tabs of this browser; `null` where it keeps them apart. */
export function browserTabs(): TabGroup | null {
  // Not there on pages without HTTPS, whatever the types say.
  if (!isSecureContext || !('locks' in navigator) || !('BroadcastChannel' in globalThis)) return null;
  return {
    locks: navigator.locks,
    openChannel: (name) => new BroadcastChannel(name),
  };
}

/**
 * A name that tells nothing of what it is made of.
 *
 * @param parts - what tabs must agree in, such as address and credential
 */
export async function groupNameOf(parts: readonly unknown[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  const text = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `agentapi-proxy.console.overview.${text}`;
}
