import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Conversation } from '../src/conversation/conversation-model.ts';
import {
  asRecord,
  eventually,
  exchangeRaw,
  serveApi,
  type Reply,
  type ServedApi,
} from './support/http-harness.ts';

const MIB = 1024 * 1024;

describe('routing', () => {
  test('AA-032: an unknown path is 404 as text; a trailing slash is another path', async () => {
    await using served = await serveApi();
    for (const path of ['/nowhere', '/status/', '/Status', '//status', '/st%61tus', '/schemas']) {
      const reply = await served.call({ path });
      expect([path, reply.status]).toEqual([path, 404]);
      expect(reply.headers['content-type']).toMatch(/^text\/plain/);
      expect(reply.text).toBe('404 page not found\n');
    }
  });

  test('AA-032: a wrong method, HEAD included, is 405 with Allow and no body', async () => {
    await using served = await serveApi();
    const wrong = [
      ['POST', '/status', 'GET'],
      ['HEAD', '/status', 'GET'],
      ['DELETE', '/messages', 'GET'],
      ['GET', '/message', 'POST'],
      ['PUT', '/upload', 'POST'],
      ['POST', '/events', 'GET'],
      ['HEAD', '/internal/screen', 'GET'],
      ['POST', '/openapi.json', 'GET'],
    ] as const;
    for (const [method, path, allow] of wrong) {
      const reply = await served.call({ method, path });
      expect([method, path, reply.status]).toEqual([method, path, 405]);
      expect(reply.all('Allow')).toEqual([allow]);
      expect(reply.text).toBe('');
    }
  });

  test('AA-033: a query does not change the route', async () => {
    await using served = await serveApi();
    expect((await served.call({ path: '/status?x=/../y#z' })).status).toBe(200);
  });
});

describe('JSON replies', () => {
  test('AA-033: `$schema` comes first, the Link header names it, the body ends with a line feed', async () => {
    await using served = await serveApi();
    const reply = await served.call({ path: '/status', headers: { Host: 'localhost:3284' } });
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.headers['link']).toBe('</schemas/StatusResponseBody.json>; rel="describedBy"');
    expect(reply.text).toBe(
      '{"$schema":"http://localhost:3284/schemas/StatusResponseBody.json","status":"stable",' +
        '"agent_type":"custom","transport":"pty"}\n',
    );
  });

  test('AA-033: the scheme of `$schema` is http for localhost and 127.0.0.1, else https', async () => {
    await using served = await serveApi({ allowedHosts: ['*'] });
    const scheme = async (Host: string) =>
      String((await served.call({ path: '/status', headers: { Host } })).json()['$schema']).split(
        '/schemas',
      )[0];
    expect(await scheme('127.0.0.1:1')).toBe('http://127.0.0.1:1');
    expect(await scheme('localhost')).toBe('http://localhost');
    expect(await scheme('agent.example.com')).toBe('https://agent.example.com');
    expect(await scheme('[::1]:3284')).toBe('https://[::1]:3284');
  });

  test('AA-033: `<`, `>` and `&` are not escaped, and Accept does not matter', async () => {
    await using served = await serveApi();
    served.conversation.messageList = [{ id: 0, role: 'agent', content: '<a> & é 😀', time: new Date(0) }];
    const reply = await served.call({ path: '/messages', headers: { Accept: 'text/html' } });
    expect(reply.status).toBe(200);
    expect(reply.text).toContain('"content":"<a> & é 😀"');
  });

  test('AA-034: an error is problem+json with schema, title, status, detail and errors', async () => {
    await using served = await serveApi();
    const reply = await post(served, '{');
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(reply.headers['link']).toBe('</schemas/ErrorModel.json>; rel="describedBy"');
    const body = reply.json();
    expect(Object.keys(body)).toEqual(['$schema', 'title', 'status', 'detail', 'errors']);
    expect(body).toMatchObject({ title: 'Bad Request', status: 400, detail: 'validation failed' });
    // Empty members are left out.
    expect(Object.keys((await post(served, '')).json())).toEqual(['$schema', 'title', 'status', 'detail']);
  });

  test('AA-038: GET /status tells status, canonical agent type and transport', async () => {
    await using served = await serveApi();
    served.conversation.currentStatus = 'running';
    expect((await served.call({ path: '/status' })).json()).toMatchObject({
      status: 'running',
      agent_type: 'custom',
      transport: 'pty',
    });
  });

  test('AA-039: GET /messages lists id, content, role and time, and is never null', async () => {
    await using served = await serveApi();
    served.conversation.messageList.push({ id: 1, role: 'user', content: 'hi', time: new Date(1234) });
    const { messages } = (await served.call({ path: '/messages' })).json();
    expect(messages).toEqual([
      { id: 0, content: 'hello\n> ', role: 'agent', time: '1970-01-01T00:00:00.000Z' },
      { id: 1, content: 'hi', role: 'user', time: '1970-01-01T00:00:01.234Z' },
    ]);
    served.conversation.messageList = [];
    expect((await served.call({ path: '/messages' })).json()['messages']).toEqual([]);
  });

  test('AA-166: while the agent is being started, status is running and the rest waits; its failure is 500', async () => {
    let fail: (error: Error) => void = () => {};
    const conversation = new Promise<Conversation>((_, reject) => {
      fail = reject;
    });
    await using served = await serveApi({ conversation });
    expect((await served.call({ path: '/status' })).json()).toMatchObject({ status: 'running' });
    const messages = served.call({ path: '/messages' });
    fail(new Error('no such program'));
    expect((await messages).status).toBe(500);
    expect((await messages).json()['errors']).toEqual([
      { message: 'the agent could not be started: no such program' },
    ]);
  });
});

describe('POST /message', () => {
  test('AA-041: a user message is trimmed of ASCII white space only and answered with ok', async () => {
    await using served = await serveApi();
    const reply = await post(
      served,
      JSON.stringify({ type: 'user', content: ' \t\n\r\f\v a\u00a0 b\u00a0\n\n' }),
    );
    expect(reply.status).toBe(200);
    expect(Object.entries(reply.json())).toEqual([
      ['$schema', expect.stringMatching(/\/schemas\/MessageResponseBody\.json$/)],
      ['ok', true],
    ]);
    expect(served.conversation.sent).toEqual([{ type: 'user', content: 'a\u00a0 b\u00a0' }]);
  });

  test.each([
    ['AA-042', 'running', 'hi', 'message can only be sent when the agent is waiting for user input'],
    ['AA-043', 'stable', '', 'message must not be empty'],
    ['AA-043', 'stable', ' \n\t', 'message must not be empty'],
  ] as const)('%s AA-044: while %s, %j is 500 with the reason', async (_, status, content, reason) => {
    await using served = await serveApi();
    served.conversation.currentStatus = status;
    const reply = await post(served, JSON.stringify({ type: 'user', content }));
    expect(reply.status).toBe(500);
    expect(reply.json()).toMatchObject({
      title: 'Internal Server Error',
      detail: 'unexpected error occurred',
      errors: [{ message: `failed to send message: ${reason}` }],
    });
  });

  test('AA-044: an unforeseen failure is 500 without its text, which goes to the log', async () => {
    await using served = await serveApi();
    const failure = Promise.reject(new Error('EIO /private/path'));
    failure.catch(() => {});
    served.conversation.delivery = failure;
    const reply = await post(served, JSON.stringify({ type: 'user', content: 'hi' }));
    expect(reply.json()['errors']).toEqual([{ message: 'internal error' }]);
    expect(served.logLines.join('')).toContain('EIO /private/path');
  });

  test('AA-045: raw bytes pass unchanged in every status, and may be empty', async () => {
    await using served = await serveApi();
    served.conversation.currentStatus = 'running';
    for (const content of ['\u001b[A', '', ' \n', '\u0003', '\u0000é😀']) {
      expect((await post(served, JSON.stringify({ type: 'raw', content }))).status).toBe(200);
      expect(served.conversation.sent.at(-1)).toEqual({ type: 'raw', content });
    }
  });

  test.each([
    [
      '{}',
      [
        ['expected required property content to be present', 'body'],
        ['expected required property type to be present', 'body'],
      ],
    ],
    ['{"type":"user"}', [['expected required property content to be present', 'body']]],
    ['{"type":"user","content":1}', [['expected string', 'body.content']]],
    ['{"type":"user","content":null}', [['expected string', 'body.content']]],
    ['{"type":["user"],"content":"x"}', [['expected string', 'body.type']]],
    ['{"type":"USER","content":"x"}', [['expected value to be one of "raw, user"', 'body.type']]],
    ['{"type":"user","content":"x","mode":1}', [['unexpected property', 'body.mode']]],
    [
      '{"x":1,"content":"x"}',
      [
        ['expected required property type to be present', 'body'],
        ['unexpected property', 'body.x'],
      ],
    ],
    ['{"type":"user","content":"x","$schema":1}', [['expected string', 'body.$schema']]],
    ['[]', [['expected object', 'body']]],
    ['null', [['expected object', 'body']]],
    ['"x"', [['expected object', 'body']]],
  ])('AA-046: %s is 422 with the place of every mistake', async (body, expected) => {
    await using served = await serveApi();
    const reply = await post(served, body);
    expect(reply.status).toBe(422);
    expect(reply.json()).toMatchObject({ title: 'Unprocessable Entity', detail: 'validation failed' });
    expect(errorsOf(reply).map(({ message, location }) => [message, location])).toEqual(expected);
    expect(served.conversation.sent).toEqual([]);
  });

  test('AA-046: the details carry what stood there', async () => {
    await using served = await serveApi();
    expect(errorsOf(await post(served, '{"type":"user"}'))[0]?.['value']).toEqual({ type: 'user' });
    expect(errorsOf(await post(served, '{"type":"x","content":""}'))[0]?.['value']).toBe('x');
    expect(errorsOf(await post(served, '{"type":'))[0]?.['value']).toBe('{"type":');
  });

  test('AA-047: malformed JSON and an empty body are 400', async () => {
    await using served = await serveApi();
    for (const body of ['{', '{"type":"user","content":"x"}}', '\ufeff{}', 'x']) {
      const reply = await post(served, body);
      expect(reply.status).toBe(400);
      expect(errorsOf(reply)[0]).toMatchObject({ location: 'body', value: body });
    }
    const empty = await post(served, '');
    expect(empty.status).toBe(400);
    expect(empty.json()).toMatchObject({ detail: 'request body is required' });
  });

  test('AA-047: a foreign content type is 415; an absent one and +json are JSON', async () => {
    await using served = await serveApi();
    const body = JSON.stringify({ type: 'raw', content: 'x' });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'text/json']) {
      const reply = await post(served, body, type);
      expect(reply.status).toBe(415);
      expect(errorsOf(reply)).toEqual([{ message: `unknown content type: ${type}`, location: 'body' }]);
    }
    for (const type of [
      undefined,
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/x+json',
    ]) {
      expect((await post(served, body, type)).status).toBe(200);
    }
  });

  test('AA-048: a body of 1 MiB or more is 413, announced or chunked, one byte less is read', async () => {
    await using served = await serveApi();
    const body = (size: number) => {
      const empty = JSON.stringify({ type: 'raw', content: '' }).length;
      return JSON.stringify({ type: 'raw', content: 'x'.repeat(size - empty) });
    };
    expect((await post(served, body(MIB - 1))).status).toBe(200);
    for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
      const reply = await served.call({ method: 'POST', path: '/message', headers, body: body(MIB) });
      expect(reply.status).toBe(413);
      expect(reply.json()).toMatchObject({ detail: 'request body is too large limit=1048576 bytes' });
    }
    expect((await post(served, body(8 * MIB))).status).toBe(413);
  });

  test('AA-048: behind a refused body the connection goes on', async () => {
    await using served = await serveApi();
    const host = `Host: 127.0.0.1:${served.port}`;
    for (const size of [MIB, 8 * MIB]) {
      const refused = `POST /message HTTP/1.1\r\n${host}\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`;
      const next = `GET /status HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`;
      const answers = await exchangeRaw(served.port, refused + next);
      expect(answers.match(/^HTTP\/1\.1 \d+/gmu)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
    }
  });

  test.each(['/message', '/status', '/nothing', '/'])(
    'AA-048: who sends a large body to %s and goes gets the answer in whole',
    async (path) => {
      await using served = await serveApi();
      const size = 8 * MIB;
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`;
      // Fails when the connection is reset.
      const answer = await exchangeRaw(served.port, `${head}${'x'.repeat(size)}`);
      expect(answer).toMatch(/^HTTP\/1\.1 (?:413|405|404|307) /u);
    },
  );

  test('AA-048: a body that does not arrive in time is 408, and the connection ends', async () => {
    await using served = await serveApi({ bodyTimeoutMs: 50 });
    const head = 'POST /message HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n';
    const answer = await exchangeRaw(served.port, `${head}{`);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"detail":"request body read timeout"');
  });

  test('AA-048: a caller that leaves in the middle of its body is no failure', async () => {
    await using served = await serveApi();
    const head = 'POST /message HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{';
    await new Promise<void>((resolve) => {
      const socket = connect(served.port, '127.0.0.1', () => {
        socket.write(head, () => socket.destroy());
      });
      socket.once('close', () => resolve());
    });
    expect((await served.call({ path: '/status' })).status).toBe(200);
    expect(served.logLines).toEqual([]);
  });

  test('AA-049: member names match in any case, and `$schema` is tolerated', async () => {
    await using served = await serveApi();
    const body = '{"$schema":"http://x/y","Type":"raw","CONTENT":"a","content":"exact"}';
    expect((await post(served, body)).status).toBe(200);
    expect(served.conversation.sent).toEqual([{ type: 'raw', content: 'exact' }]);
  });

  test('AA-050: while a user message is pending, reads answer and raw messages are written', async () => {
    await using served = await serveApi();
    let deliver: () => void = () => {};
    served.conversation.delivery = new Promise((resolve) => {
      deliver = resolve;
    });
    const pending = post(served, JSON.stringify({ type: 'user', content: 'hi' }));
    await eventually(() => served.conversation.currentStatus === 'running');
    expect((await served.call({ path: '/status' })).json()).toMatchObject({ status: 'running' });
    expect((await served.call({ path: '/messages' })).status).toBe(200);
    expect((await post(served, JSON.stringify({ type: 'raw', content: '\u001b' }))).status).toBe(200);
    expect(served.conversation.sent).toEqual([{ type: 'raw', content: '\u001b' }]);
    deliver();
    expect((await pending).status).toBe(200);
  });
});

describe('POST /upload', () => {
  test('AA-052: a file lands under 16 hex digits and its name, with identical content', async () => {
    await using served = await serveApi();
    for (const content of [Buffer.from('text'), Buffer.alloc(0), randomBytes(300_000)]) {
      const reply = await upload(served, [{ name: 'file', fileName: 'a.bin', content }]);
      expect(reply.status).toBe(200);
      expect(Object.keys(reply.json())).toEqual(['$schema', 'ok', 'filePath']);
      expect(reply.headers['link']).toContain('UploadResponseBody');
      const path = String(reply.json()['filePath']);
      const digest = createHash('sha256').update(content).digest('hex').slice(0, 16);
      expect(path.endsWith(`/${digest}/a.bin`)).toBe(true);
      expect(path.startsWith(join(served.folder, 'agentapi-uploads-'))).toBe(true);
      expect(await readFile(path)).toEqual(content);
    }
  });

  test('AA-052: the root is private', async () => {
    await using served = await serveApi();
    await upload(served, [{ name: 'file', fileName: 'a', content: Buffer.from('x') }]);
    const [root = ''] = await readdir(served.folder);
    expect((await stat(join(served.folder, root))).mode & 0o777).toBe(0o700);
  });

  test('AA-053: folders are dropped from the name, everything else is kept; the same file has the same path', async () => {
    await using served = await serveApi();
    const path = async (fileName: string) => {
      const reply = await upload(served, [{ name: 'file', fileName, content: Buffer.from('x') }]);
      expect([fileName, reply.status]).toEqual([fileName, 200]);
      return String(reply.json()['filePath']);
    };
    expect(await path('../../etc/my file (1).txt')).toMatch(/\/[0-9a-f]{16}\/my file \(1\)\.txt$/);
    expect(await path('C:\\dir\\a.txt')).toMatch(/\/C:\\dir\\a\.txt$/);
    expect(await path('ünï😀.txt')).toMatch(/\/ünï😀\.txt$/);
    expect(await path('..x')).toMatch(/\/\.\.x$/);
    expect(await path('dir/')).toMatch(/\/dir$/);
    expect(await path('a')).toBe(await path('/b/a'));
    const both = await Promise.all([path('same'), path('same')]);
    expect(both[0]).toBe(both[1]);
    expect(await readFile(both[0], 'utf8')).toBe('x');
  });

  test('AA-054: exactly 10 MiB is fine, one byte more is 400, and nothing is left of it', async () => {
    await using served = await serveApi();
    const fine = await upload(served, [{ name: 'file', fileName: 'a', content: Buffer.alloc(10 * MIB) }]);
    expect(fine.status).toBe(200);
    const over = await upload(served, [{ name: 'file', fileName: 'a', content: Buffer.alloc(10 * MIB + 1) }]);
    expect(over.status).toBe(400);
    expect(over.json()).toMatchObject({ title: 'Bad Request', detail: 'file size exceeds 10MB limit' });
    const [root = ''] = await readdir(served.folder);
    expect(await readdir(join(served.folder, root))).toHaveLength(1);
  });

  test.each([
    ['no file part', [{ name: 'other', fileName: 'a', content: Buffer.from('x') }], 'File required', 'file'],
    ['a field instead of a file', [{ name: 'file', content: Buffer.from('x') }], 'File required', 'file'],
    [
      'two files',
      [
        { name: 'file', fileName: 'a', content: Buffer.from('x') },
        { name: 'file', fileName: 'b', content: Buffer.from('y') },
      ],
      'Multiple files received but only one was expected',
      'file',
    ],
  ])('AA-055: %s is 422', async (_, parts, message, location) => {
    await using served = await serveApi();
    const reply = await upload(served, parts);
    expect(reply.status).toBe(422);
    expect(reply.json()).toMatchObject({ detail: 'validation failed', errors: [{ message, location }] });
  });

  test.each([
    ['no content type', undefined, 'x'],
    ['JSON', 'application/json', '{}'],
    ['no boundary', 'multipart/form-data', 'x'],
    ['an empty form', 'multipart/form-data; boundary=b', ''],
    [
      'a form that breaks off',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx',
    ],
  ])('AA-055: %s is 422', async (_, type, body) => {
    await using served = await serveApi();
    const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type };
    const reply = await served.call({ method: 'POST', path: '/upload', headers, body });
    expect(reply.status).toBe(422);
    const [error] = errorsOf(reply);
    expect(error?.['location']).toBe('body');
    expect(error?.['message']).toMatch(/^cannot read multipart form: ./);
  });

  test('AA-056: the uploads are gone after the server has closed', async () => {
    await using served = await serveApi();
    const reply = await upload(served, [{ name: 'file', fileName: 'a', content: Buffer.from('x') }]);
    await served.api.close();
    expect(existsSync(String(reply.json()['filePath']))).toBe(false);
    expect(await readdir(served.folder)).toEqual([]);
  });

  test('AA-057: an oversized request is refused before and while it is read', async () => {
    await using served = await serveApi();
    const announced = await upload(served, [
      { name: 'file', fileName: 'a', content: Buffer.alloc(12 * MIB) },
    ]);
    expect(announced.status).toBe(400);
    expect(await readdir(served.folder)).toEqual([]);
    // Many parts that no limit of a single file catches.
    const parts = Array.from({ length: 13 }, () => ({
      name: 'x',
      fileName: 'a',
      content: Buffer.alloc(MIB),
    }));
    const chunked = await upload(served, parts, { 'Transfer-Encoding': 'chunked' });
    expect(chunked.status).toBe(400);
    expect(chunked.json()).toMatchObject({ detail: 'file size exceeds 10MB limit' });
  });

  test.each(['.', '..', '../..', '/', 'x'.repeat(256)])(
    'AA-057: the name %j is refused',
    async (fileName) => {
      await using served = await serveApi();
      const reply = await upload(served, [{ name: 'file', fileName, content: Buffer.from('x') }]);
      expect(reply.status).toBe(400);
    },
  );

  test('AA-057: a file that cannot be written is 500 with the reason', async () => {
    await using served = await serveApi({ uploadParent: '/nonexistent' });
    const reply = await upload(served, [{ name: 'file', fileName: 'a', content: Buffer.from('x') }]);
    expect(reply.status).toBe(500);
    expect(errorsOf(reply)[0]?.['message']).toMatch(/^failed to write file: /);
  });
});

interface Part {
  readonly name: string;
  readonly fileName?: string;
  readonly content: Buffer;
}

function upload(
  served: ServedApi,
  parts: readonly Part[],
  headers: Record<string, string> = {},
): Promise<Reply> {
  const boundary = 'a-boundary-of-this-test';
  const body = parts.flatMap(({ name, fileName, content }) => {
    const file = fileName === undefined ? '' : `; filename="${fileName.replaceAll('\\', '\\\\')}"`;
    return [
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
      content,
      Buffer.from('\r\n'),
    ];
  });
  return served.call({
    method: 'POST',
    path: '/upload',
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}`, ...headers },
    body: Buffer.concat([...body, Buffer.from(`--${boundary}--\r\n`)]),
  });
}

function post(
  served: ServedApi,
  body: string,
  contentType: string | null = 'application/json',
): Promise<Reply> {
  const headers: Record<string, string> = contentType === null ? {} : { 'Content-Type': contentType };
  return served.call({ method: 'POST', path: '/message', headers, body });
}

function errorsOf(reply: Reply): Record<string, unknown>[] {
  const { errors } = reply.json();
  if (!Array.isArray(errors)) throw new Error(`no errors in ${reply.text}`);
  return errors.map(asRecord);
}
