import type { ReadonlySignal } from '@preact/signals';
import type { Client, OverviewEvent, StreamOptions } from '@agentapi-proxy/client';
import type { SessionsClient } from './live-sessions.ts';
import type { TabGroup } from './tab-group.ts';
import { TabGroupMember } from './tab-group-member.ts';

/** What the tabs share, and how. */
export interface SharedOverviewOptions {
  readonly client: SessionsClient;
  readonly isSeen: ReadonlySignal<boolean>;
  /** The tabs of this browser; `null` where it keeps them apart. */
  readonly tabs: TabGroup | null;
  /** Tabs with the same name see the same; asked whenever a stream begins. */
  readonly groupName: () => Promise<string>;
}

/** The API as the list of sessions sees it, with one event stream for all tabs that see the same. */
export class SharedOverview implements SessionsClient {
  readonly search: Client['search'];
  readonly searchAll: Client['searchAll'];
  readonly #options: SharedOverviewOptions;

  constructor(options: SharedOverviewOptions) {
    this.#options = options;
    this.search = (...call) => options.client.search(...call);
    this.searchAll = (...call) => options.client.searchAll(...call);
  }

  /** As `client.events()`, of whichever tab has the connection. */
  async *events(options: StreamOptions = {}): AsyncGenerator<OverviewEvent, void, undefined> {
    const { client, isSeen, tabs, groupName } = this.#options;
    if (tabs === null) {
      yield* client.events(options);
      return;
    }
    const name = await groupName();
    options.signal?.throwIfAborted();
    const member = new TabGroupMember({ client, isSeen, tabs, name });
    const end = (): void => member.close(options.signal?.reason);
    options.signal?.addEventListener('abort', end);
    try {
      yield* member.events(options);
    } finally {
      options.signal?.removeEventListener('abort', end);
      end();
    }
  }
}
