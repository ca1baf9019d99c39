import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { ROOT } from './documents.ts';

/** A web page of an origin of its own that has loaded the built client. */
export interface WebPage extends AsyncDisposable {
  readonly port: number;
}

/** The files a page may load, by the first part of their path; as npm lays them out, without a bundler. */
const FOLDERS: Readonly<Record<string, string>> = {
  client: 'packages/client/dist',
  zod: 'node_modules/zod',
  'eventsource-parser': 'node_modules/eventsource-parser/dist',
};

const IMPORTS = {
  '@agentapi-proxy/client': '/client/index.js',
  'zod/mini': '/zod/mini/index.js',
  'eventsource-parser': '/eventsource-parser/index.js',
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>A page of another origin</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
</head>
<body>
<p>A page of another origin.</p>
<script type="module">
import * as client from '@agentapi-proxy/client';
window.agentapi = client;
document.body.dataset.state = 'loaded';
</script>
</body>
</html>
`;

/** Serves the page on a free port, under every host name. */
export async function serveWebPage(): Promise<WebPage> {
  const server = createServer((request, response) => {
    void contentOf(request.url ?? '/').then(
      ({ type, body }) => response.writeHead(200, { 'content-type': type }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the page has no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function contentOf(url: string): Promise<{ readonly type: string; readonly body: string }> {
  const { pathname } = new URL(url, 'http://page');
  if (pathname === '/') return { type: 'text/html; charset=utf-8', body: PAGE };
  const [, name = '', ...rest] = pathname.split('/');
  const folder = FOLDERS[name];
  if (folder === undefined || extname(pathname) !== '.js') throw new Error(`no file ${pathname}`);
  return { type: 'text/javascript', body: await readFile(join(ROOT, folder, ...rest), 'utf8') };
}
