import { afterEach, describe, expect, test, vi } from 'vitest';
import { ChannelLocks } from './channel-locks.ts';
import type { TabChannel } from './tab-group.ts';

/** A page with a lock of its own idea of who holds it. */
class Page extends EventTarget {
  readonly #locks = new ChannelLocks((name) => new BroadcastChannel(name), this);
  holds = false;

  /** Holds the lock until `end` aborts. @returns why it ended */
  async hold(name: string, end: AbortSignal, options: LockOptions = {}): Promise<unknown> {
    try {
      await this.#locks.request(name, options, async () => {
        this.holds = true;
        await new Promise<void>((resolve) => end.addEventListener('abort', () => resolve()));
      });
      return null;
    } catch (error) {
      return error instanceof DOMException ? error.name : error;
    } finally {
      this.holds = false;
    }
  }
}

afterEach(() => {
  vi.useRealTimers();
});

describe('ChannelLocks', () => {
  test('of many that want it at the same time one has it, and the next when it goes', async () => {
    const name = crypto.randomUUID();
    const pages = Array.from({ length: 5 }, () => ({ page: new Page(), end: new AbortController() }));
    // On a busy machine two may have it for a moment, and one loses it then.
    const insist = async ({ page, end }: (typeof pages)[number]): Promise<unknown> => {
      for (;;) {
        const why = await page.hold(name, end.signal);
        if (why !== 'AbortError') return why;
      }
    };
    const over = pages.map(insist);
    const holders = () => pages.filter(({ page }) => page.holds);
    for (let left = pages.length; left > 0; left -= 1) {
      await expect.poll(() => holders().length).toBe(1);
      const [holder] = holders();
      holder?.end.abort();
      await expect.poll(() => holder?.page.holds).toBe(false);
    }
    expect(await Promise.all(over)).toEqual(pages.map(() => null));
  });

  test('it can be taken away, and whoever waits need not go on waiting', async () => {
    const name = crypto.randomUUID();
    const [first, second, third] = [new Page(), new Page(), new Page()];
    const end = new AbortController();
    const lost = first.hold(name, end.signal);
    await expect.poll(() => first.holds).toBe(true);
    const waiting = new AbortController();
    const given = third.hold(name, end.signal, { signal: waiting.signal });
    const stolen = second.hold(name, end.signal, { steal: true });
    expect(await lost).toBe('AbortError');
    expect(second.holds).toBe(true);
    waiting.abort();
    expect(await given).toBe('AbortError');
    end.abort();
    expect(await stolen).toBeNull();
  });

  test('a page that goes gives it back', async () => {
    const name = crypto.randomUUID();
    const [first, second] = [new Page(), new Page()];
    const end = new AbortController();
    const gone = first.hold(name, end.signal);
    await expect.poll(() => first.holds).toBe(true);
    const next = second.hold(name, end.signal);
    first.dispatchEvent(new Event('pagehide'));
    expect(await gone).toBe('AbortError');
    await expect.poll(() => second.holds).toBe(true);
    end.abort();
    expect(await next).toBeNull();
  });

  test('whoever waits lets those who ask go before, however late it hears that they have it', async () => {
    vi.useFakeTimers();
    const said: unknown[] = [];
    let listener: (event: MessageEvent) => void = () => undefined;
    const channel: TabChannel = {
      addEventListener: (_type, listen) => {
        listener = listen;
      },
      postMessage: (message) => said.push(message),
      close: () => undefined,
    };
    const hear = (word: string): void =>
      listener(new MessageEvent('message', { data: { word, from: 'larger than any' } }));
    const words = () => said.map((each) => Object(each).word);
    let holds = false;
    const over = new ChannelLocks(() => channel, new EventTarget()).request('lock', {}, async () => {
      holds = true;
    });
    hear('held');
    // Its holder goes, and of those who wait another one asks first.
    hear('free');
    hear('want');
    await vi.advanceTimersByTimeAsync(5_000);
    expect([words(), holds]).toEqual([['want'], false]);
    // That one has crashed.
    await vi.advanceTimersByTimeAsync(5_000);
    expect([words(), holds]).toEqual([['want', 'want', 'held', 'free'], true]);
    await over;
  });

  test('what others say on the channel is passed over', async () => {
    const name = crypto.randomUUID();
    const other = new BroadcastChannel(`${name}.lock`);
    const page = new Page();
    const end = new AbortController();
    const over = page.hold(name, end.signal);
    for (const said of [null, 'held', { word: 'keep', from: '0' }, { word: 'held' }]) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has one origin only
      other.postMessage(said);
    }
    await expect.poll(() => page.holds).toBe(true);
    end.abort();
    expect(await over).toBeNull();
    other.close();
  });
});
