import { ChannelLocks } from './channel-locks.ts';

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

const PREFIX = 'agentapi-proxy.console.overview.';

/** The tabs of this browser; `null` where it keeps them apart. */
export function browserTabs(): TabGroup | null {
  if (!('BroadcastChannel' in globalThis)) return null;
  const openChannel = (name: string): TabChannel => new BroadcastChannel(name);
  // Not there on pages without HTTPS, whatever the types say.
  const hasLocks = isSecureContext && 'locks' in navigator;
  return { locks: hasLocks ? navigator.locks : new ChannelLocks(openChannel, window), openChannel };
}

/**
 * A name that tells nothing of what it is made of; on pages without HTTPS, which have no digests, the parts themselves.
 * Names of channels do not leave the memory of the browser.
 *
 * @param parts - what tabs must agree in, such as address and credential
 */
export async function groupNameOf(parts: readonly unknown[]): Promise<string> {
  const text = JSON.stringify(parts);
  if (!('subtle' in crypto)) return PREFIX + text;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return PREFIX + [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
