import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { asRecord, serveApi } from './support/http-harness.ts';

const fixture = async () =>
  asRecord(JSON.parse(await readFile(new URL('fixtures/agentapi/openapi.json', import.meta.url), 'utf8')));

test('AA-035: `/openapi-3.0.json` is the document of agentapi', async () => {
  await using served = await serveApi();
  const reply = await served.call({ path: '/openapi-3.0.json' });
  expect(reply.headers['content-type']).toBe('application/vnd.oai.openapi+json');
  expect(reply.json()).toEqual(await fixture());
});

test('AA-035: `/openapi.json` is the same in OpenAPI 3.1', async () => {
  await using served = await serveApi();
  const reply = await served.call({ path: '/openapi.json' });
  expect(reply.headers['content-type']).toBe('application/vnd.oai.openapi+json');
  const document = reply.json();
  expect(document['openapi']).toBe('3.1.0');
  expect(Object.keys(asRecord(document['paths']))).toEqual(Object.keys(asRecord((await fixture())['paths'])));
  expect(reply.text).not.toMatch(/"(?:nullable|example)":/);
  expect(reply.text).toContain('"type":["array","null"]');
  expect(reply.text).toContain('"examples":["stable"]');
});

test.each(['/openapi', '/openapi-3.0'])('AA-035: %s.yaml is its YAML twin', async (path) => {
  await using served = await serveApi();
  const reply = await served.call({ path: `${path}.yaml` });
  expect(reply.headers['content-type']).toBe('application/vnd.oai.openapi+yaml');
  // JSON is YAML.
  expect(reply.json()).toEqual((await served.call({ path: `${path}.json` })).json());
});

test('AA-035: `/schemas/NAME.json` serves one schema with references that can be followed', async () => {
  await using served = await serveApi();
  const get = async (path: string) => served.call({ path });
  const seen = new Set<string>();
  const queue = [
    '/schemas/StatusResponseBody.json',
    '/schemas/MessagesResponseBody.json',
    '/schemas/ErrorModel.json',
  ];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const reply = await get(path);
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.json()['type']).toBeDefined();
    expect(reply.text).not.toContain('#/components');
    queue.push(...[...reply.text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? ''));
  }
  expect(seen).toContain('/schemas/ConversationRole.json');
  for (const unknown of ['/schemas/Nothing.json', '/schemas/toString.json', '/schemas/']) {
    const reply = await get(unknown);
    expect(reply.status).toBe(200);
    expect(reply.text).toBe('null\n');
  }
});

test('AA-035: `/docs` is a page that shows every operation and loads nothing', async () => {
  await using served = await serveApi();
  const reply = await served.call({ path: '/docs' });
  expect(reply.headers['content-type']).toMatch(/^text\/html/);
  expect(reply.text).toContain('<title>AgentAPI Reference</title>');
  expect(reply.text).toContain('openapi.yaml');
  for (const path of ['/status', '/messages', '/message', '/upload', '/events']) {
    expect(reply.text).toContain(` ${path}</code>`);
  }
  expect(reply.text).not.toMatch(/<script|src=|@import|url\(/);
});

test('AA-036: `/` redirects to the chat base path, whatever the method; the mount point stays', async () => {
  for (const [chatBasePath, location] of [
    ['/chat', '/chat/embed'],
    ['/a/b/', '/a/b/embed'],
    ['', '/embed'],
  ] as const) {
    await using served = await serveApi({ chatBasePath });
    for (const method of ['GET', 'POST']) {
      const reply = await served.call({ method, path: '/?x' });
      expect(reply.status).toBe(307);
      expect(reply.headers.location).toBe(location);
    }
    expect((await served.call({ path: '/chat/embed/' })).status).toBe(200);
  }
});

test('AA-037: `/chat/embed` leads to the page by a relative redirect; unknown files get a 404 page', async () => {
  await using served = await serveApi();
  for (const [path, location] of [
    ['/chat', 'chat/embed/'],
    ['/chat/', 'embed/'],
    ['/chat/embed', 'embed/'],
  ] as const) {
    const reply = await served.call({ path });
    expect(reply.status).toBe(301);
    expect(reply.headers.location).toBe(location);
  }
  const unknown = await served.call({ path: '/chat/nothing.js' });
  expect(unknown.status).toBe(200);
  expect(unknown.text).toContain('<h1>404</h1>');
});

test('AA-037: the chat page has no absolute address, runs only its own script and sets no markup', async () => {
  await using served = await serveApi();
  const reply = await served.call({ path: '/chat/embed/' });
  expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
  const policy = reply.headers['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("connect-src 'self'");
  expect(policy).not.toContain('unsafe');
  expect(reply.text).not.toMatch(/https?:|["'(]\/|innerHTML|insertAdjacent|document\.write/);
});
