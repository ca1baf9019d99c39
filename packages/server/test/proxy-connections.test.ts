import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ID, startBackend, startProxy, TestSession, until } from './proxy-harness.ts';
import { startEcho } from './support/echo-backend.ts';

describe('connections', () => {
  test('PX-234: connections to the agent are kept between requests', async () => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    for (let i = 0; i < 20; i += 1) await (await fetch(`${proxy.url}/${ID}/`)).text();
    for (let i = 0; i < 20; i += 1)
      await (await fetch(`${proxy.url}/${ID}/`, { method: 'POST', body: 'x' })).text();
    expect(backend.accepted).toBe(1);
  });

  test('PX-143: a kept connection that the agent has closed meanwhile costs no request', async () => {
    await using backend = await startBackend((req, res) => {
      res.end('ok');
      // The end of the connection and the next request cross on the way.
      setImmediate(() => req.socket.destroy());
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    for (let i = 0; i < 50; i += 1) {
      const response = await fetch(`${proxy.url}/${ID}/${i}`);
      expect([response.status, await response.text()]).toEqual([200, 'ok']);
    }
  });

  test('PX-150: a slow answer delays nobody else', async () => {
    const waiting: (() => void)[] = [];
    await using slow = await startBackend((_req, res) => {
      waiting.push(() => res.end('slow'));
    });
    await using quick = await startBackend((_req, res) => res.end('quick'));
    const other = '11111111-2222-4333-8444-555555555555';
    await using proxy = await startProxy({
      sessions: [
        new TestSession(ID, { port: slow.port, token: null }),
        new TestSession(other, { port: quick.port, token: null }),
      ],
    });
    const slowAnswers = Array.from({ length: 300 }, async () => (await fetch(`${proxy.url}/${ID}/`)).text());
    await until(() => waiting.length === 300, 'all requests at the slow agent');
    expect(await (await fetch(`${proxy.url}/${other}/`)).text()).toBe('quick');
    for (const answer of waiting) answer();
    expect(new Set(await Promise.all(slowAnswers))).toEqual(new Set(['slow']));
  });

  test('PX-146, PX-234: 50 MB each way pass unchanged, and a reader that stops holds the agent up', async () => {
    const size = 50 * 1024 * 1024;
    const block = randomBytes(64 * 1024);
    let written = 0;
    await using backend = await startBackend((req, res) => {
      if (req.url === '/down') {
        const more = (): void => {
          while (written < size) {
            written += block.length;
            if (!res.write(block)) {
              res.once('drain', more);
              return;
            }
          }
          res.end();
        };
        more();
        return;
      }
      const hash = createHash('sha256');
      req.on('data', (chunk: Buffer) => hash.update(chunk));
      req.on('end', () => res.end(hash.digest('hex')));
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });

    const upload = Buffer.concat(Array.from({ length: size / block.length }, () => block));
    const response = await fetch(`${proxy.url}/${ID}/up`, { method: 'POST', body: upload });
    const sent = createHash('sha256').update(upload).digest('hex');
    expect(await response.text()).toBe(sent);

    const download = await new Promise<IncomingMessage>((resolve) => {
      request(`${proxy.url}/${ID}/down`, resolve).end();
    });
    download.pause();
    let before = 0;
    let unchanged = 0;
    await until(() => {
      unchanged = written > 0 && written === before ? unchanged + 1 : 0;
      before = written;
      return unchanged > 20;
    }, 'the agent being held up');
    // Buffers of four sockets and of the streams between them, but not the whole.
    expect(written).toBeLessThan(size / 2);
    const hash = createHash('sha256');
    download.on('data', (chunk: Buffer) => hash.update(chunk)).resume();
    await once(download, 'end');
    expect(hash.digest('hex')).toBe(sent);
  });
});

test('PX-147, PX-234: of 600 requests broken off at any moment nothing is left, and the next ones work', async () => {
  const kinds = ['/echo', '/stream', '/silent', '/reset', '/early'];
  let open = 0;
  await using backend = await startBackend((req, res) => {
    open += 1;
    res.on('close', () => {
      open -= 1;
    });
    req.on('error', () => {});
    if (req.url === '/echo') req.pipe(res);
    else req.resume();
    if (req.url === '/stream') for (let i = 0; i < 50; i += 1) res.write(randomBytes(10_000));
    if (req.url === '/reset') setImmediate(() => req.socket.resetAndDestroy());
    if (req.url === '/early') res.end('answered before the body was read');
  });
  const session = new TestSession(ID, { port: backend.port, token: null });
  await using proxy = await startProxy({ sessions: [session] });
  const one = async (i: number): Promise<void> => {
    const body = i % 2 === 0 ? randomBytes((i * 7919) % 300_000) : null;
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => {});
    if (i % 3 !== 0) socket.resume();
    const head = `${body === null ? 'GET' : 'POST'} /${ID}${kinds[i % kinds.length]} HTTP/1.1\r\nHost: localhost\r\n`;
    socket.write(body === null ? `${head}\r\n` : `${head}Content-Length: ${body.length + (i % 4)}\r\n\r\n`);
    if (body !== null) socket.write(body);
    // Some leave at once, some after the first bytes of the answer, some a little later.
    if (i % 5 < 2) {
      await Promise.race([
        once(socket, i % 3 === 0 ? 'connect' : 'data').catch(() => null),
        once(socket, 'close'),
        new Promise((resolve) => {
          setTimeout(resolve, i % 50);
        }),
      ]);
    }
    if (i % 7 === 0) socket.resetAndDestroy();
    else socket.destroy();
  };
  for (let batch = 0; batch < 6; batch += 1) {
    await Promise.all(Array.from({ length: 100 }, (_value, i) => one(batch * 100 + i)));
  }
  await until(() => open === 0, 'the end of every request at the agent');
  const response = await fetch(`${proxy.url}/${ID}/echo`, { method: 'POST', body: 'still here' });
  expect(await response.text()).toBe('still here');
  session.become('stopped');
  await until(() => backend.sockets.size === 0, 'no connection to the agent');
  expect(proxy.logged()).not.toContain('"level":50');
});
