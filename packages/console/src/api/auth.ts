import { signal, type ReadonlySignal } from '@preact/signals';
import {
  ApiError,
  createClient,
  type Client,
  type IssuedApiKey,
  type Me,
  type SessionAccess,
} from '@agentapi-proxy/client';

/** Why nobody is signed in: never was, or whose key, or shared link, has ended, or because of a sign-out. */
export type SignedOutReason = 'no-key' | 'expired' | 'link-over' | 'signed-out';

/** Whether the console knows whom it works for. */
export type AuthState =
  | { readonly kind: 'checking' }
  | { readonly kind: 'signed-out'; readonly because: SignedOutReason }
  | { readonly kind: 'unreachable'; readonly error: unknown }
  | { readonly kind: 'signed-in'; readonly me: Me };

/** A session as far as it decides what the person may do with it. */
interface Accessible {
  readonly access: SessionAccess;
}

/** Name of the key in the storage of the tab. */
const STORED_KEY = 'agentapi-proxy.console.key';
/** In the address of a shared link, behind `#`; never sent to a server, and taken out of the address at once. */
const LINK_PARAMETER = 'token';
/** Marks requests of the console: other pages cannot send it, so a cookie alone changes nothing. */
const MARK = { 'X-Console': '1' } as const;
/** Where tabs tell each other that the cookie, which they all share, is another or gone. */
const CHANNEL = 'agentapi-proxy.console.auth';
/** Whoever wants to be gone does not wait for a server that says nothing. */
const POST_MS = 10_000;
/** The API refuses keys with anything else. */
const KEY_FORM = /^[\x21-\x7e]+$/;

/**
 * Who uses the console, with which credentials, and what that person may do. Credentials are a key in the storage of
 * this tab, or a cookie that scripts cannot read.
 */
export class Auth {
  /** Sends every request with the credentials of the moment, and notices when they are good no more. */
  readonly client: Client;
  readonly #state = signal<AuthState>({ kind: 'checking' });
  readonly #base: string;
  #key: string | null;
  /** How many credentials there have been: what is refused counts for those that it was asked with. */
  #turn = 0;
  #isReplacing = false;
  /** `null` where the browser keeps its tabs apart. */
  readonly #channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(CHANNEL) : null;

  /** @param base - address of the console, with a slash at its end */
  constructor(base: string) {
    this.#base = base;
    this.#key = takeKeyOfLink() ?? sessionStorage.getItem(STORED_KEY);
    this.client = createClient({
      baseUrl: new URL('../', base),
      headers: MARK,
      fetch: (url, init) => this.fetch(url, init),
    });
    // A link that is pasted into a tab with the same page does not load it anew.
    addEventListener('hashchange', () => {
      const key = takeKeyOfLink();
      if (key === null) return;
      this.#keep(key);
      void this.check();
    });
    this.#channel?.addEventListener('message', () => void this.#followCookie());
  }

  get state(): ReadonlySignal<AuthState> {
    return this.#state;
  }

  /** Who is signed in; `null` while nobody is. */
  get me(): Me | null {
    const state = this.#state.value;
    return state.kind === 'signed-in' ? state.me : null;
  }

  /** The key of this tab, for connections that take no headers; `null` with a cookie, or when nobody is asked for one. */
  get key(): string | null {
    return this.#key;
  }

  /** Whether the person holds a permission such as `session:create`. */
  can(permission: string): boolean {
    const permissions = this.me?.permissions ?? [];
    return permissions.includes('*') || permissions.includes(permission);
  }

  get isAdmin(): boolean {
    return this.me?.role === 'admin';
  }

  /** Whether the person may talk to the agent of a session, and make it do something. */
  canWrite({ access }: Accessible): boolean {
    return access !== 'read' && this.can('session:access');
  }

  /** Whether the person may decide about a session; to end it also takes `session:delete`. */
  canManage({ access }: Accessible): boolean {
    return access === 'own';
  }

  /** As the platform's own, with credentials; tells of those that are not good any more. */
  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const turn = this.#turn;
    if (this.#key !== null) headers.set('x-api-key', this.#key);
    headers.set('x-console', MARK['X-Console']);
    const response = await globalThis.fetch(url, { ...init, headers });
    if (response.status === 401 && turn === this.#turn && !this.#isReplacing) this.#lose();
    return response;
  }

  /** Asks the server who this is. */
  async check(): Promise<void> {
    try {
      this.#state.value = { kind: 'signed-in', me: await this.client.me() };
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'unauthorized') {
        if (this.#state.value.kind !== 'signed-out') this.#lose();
      } else {
        this.#state.value = { kind: 'unreachable', error };
      }
    }
  }

  /**
   * Signs in with a key.
   *
   * @param remember - leaves the key with the browser as a cookie instead of keeping it for this tab
   * @returns what is wrong with the key; `null` when nothing is
   * @throws ClientError when the server cannot be asked
   */
  async signIn(key: string, remember: boolean): Promise<'malformed' | 'rejected' | null> {
    if (!KEY_FORM.test(key)) return 'malformed';
    const me = await this.#whoIs(key);
    if (me === null) return 'rejected';
    if (remember && (await this.#post('sign-in', { api_key: key }))) this.#useCookie();
    else this.#keep(key);
    this.#state.value = { kind: 'signed-in', me };
    return null;
  }

  /**
   * Has the key of the person replaced, and goes on with the new one, kept as the old one was. The old one may end at
   * once; what is refused to it meanwhile does not sign anybody out.
   *
   * @param replace - has the server do it
   */
  async replaceKey(replace: () => Promise<IssuedApiKey>): Promise<IssuedApiKey> {
    const { me } = this;
    this.#isReplacing = true;
    try {
      const issued = await replace();
      const isCookie = this.#key === null;
      this.#keep(issued.key);
      // The new key is good in any case, and shown only once: nothing that fails from here on may hide it.
      if (isCookie && (await this.#isPosted('sign-in', { api_key: issued.key }))) this.#useCookie();
      if (me !== null) {
        const { expires_at: _old, ...rest } = me;
        const end = issued.expires_at === null ? {} : { expires_at: issued.expires_at };
        const key = { id: issued.id, name: issued.name };
        const credential = this.#key === null ? 'cookie' : 'header';
        this.#state.value = { kind: 'signed-in', me: { ...rest, ...end, key, credential } };
      }
      return issued;
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'unauthorized') this.#lose();
      throw error;
    } finally {
      this.#isReplacing = false;
    }
  }

  /**
   * Forgets the credentials, also those that the browser keeps.
   *
   * @returns false when the person is still signed in: only the server can take the cookie back
   */
  async signOut(): Promise<boolean> {
    const isCookie = this.#key === null;
    if (!isCookie) this.#leave();
    const isPosted = await this.#isPosted('sign-out', {});
    if (isCookie && isPosted) this.#leave();
    if (isPosted) this.#tellTabs();
    return !isCookie || isPosted;
  }

  #leave(): void {
    this.#forget();
    this.#state.value = { kind: 'signed-out', because: 'signed-out' };
  }

  /** Another tab has signed in or out: whoever uses the cookie is now who that says. */
  async #followCookie(): Promise<void> {
    if (this.#key !== null) return;
    const turn = this.#turn;
    let me: Me | null;
    try {
      me = await this.#whoIs(null);
    } catch {
      // The next request finds out.
      return;
    }
    if (turn !== this.#turn) return;
    const known = this.me;
    if (me === null) {
      if (known !== null) this.#leave();
    } else if (me.user_id !== known?.user_id || me.key?.id !== known.key?.id) {
      this.#turn += 1;
      this.#state.value = { kind: 'signed-in', me };
    }
  }

  /** @param key - `null` for the cookie. @returns `null` for nobody */
  async #whoIs(key: string | null): Promise<Me | null> {
    const credentials = key === null ? {} : { apiKey: key };
    const probe = createClient({ baseUrl: new URL('../', this.#base), headers: MARK, ...credentials });
    try {
      return await probe.me();
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'unauthorized') return null;
      throw error;
    }
  }

  #tellTabs(): void {
    this.#channel?.postMessage(null);
  }

  #lose(): void {
    const hadKey = this.#key !== null;
    const me = this.#state.value.kind === 'signed-in' ? this.#state.value.me : null;
    const ended = me?.session_id === undefined ? 'expired' : 'link-over';
    this.#forget();
    this.#state.value = { kind: 'signed-out', because: hadKey || me !== null ? ended : 'no-key' };
  }

  #keep(key: string): void {
    this.#turn += 1;
    this.#key = key;
    sessionStorage.setItem(STORED_KEY, key);
  }

  #useCookie(): void {
    this.#forget();
    this.#tellTabs();
  }

  #forget(): void {
    this.#turn += 1;
    this.#key = null;
    sessionStorage.removeItem(STORED_KEY);
  }

  async #isPosted(name: string, body: object): Promise<boolean> {
    try {
      return await this.#post(name, body);
    } catch {
      return false;
    }
  }

  async #post(name: string, body: object): Promise<boolean> {
    const response = await globalThis.fetch(new URL(name, this.#base), {
      method: 'POST',
      headers: { ...MARK, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(POST_MS),
    });
    return response.ok;
  }
}

function takeKeyOfLink(): string | null {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const key = parameters.get(LINK_PARAMETER);
  if (key === null || !KEY_FORM.test(key)) return null;
  parameters.delete(LINK_PARAMETER);
  const rest = parameters.toString();
  history.replaceState(
    history.state,
    '',
    `${location.pathname}${location.search}${rest === '' ? '' : `#${rest}`}`,
  );
  sessionStorage.setItem(STORED_KEY, key);
  return key;
}
