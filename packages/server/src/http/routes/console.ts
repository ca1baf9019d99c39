import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import { packageFolder } from '../../package-folder.ts';
import { ConsoleFiles } from '../console-files.ts';
import type { SentFile } from '../console-files.ts';
import { wantsPage } from '../control-server.ts';

/** Where the build puts the console, from the folder of this package. */
const BUILT_CONSOLE = 'dist/console';

const ROOT = '/console/';

/** Nothing but what comes from here, and nothing that stands in a page. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
};

const UNCHANGED = 304;

/**
 * `/console/`: the files of the web console, open to everybody because they tell nothing; `/` leads browsers there. Every
 * path that a browser asks a page for is the console's, which reads its address; `/console/assets/` has only what is
 * there. All addresses are relative, so that any prefix works.
 * @param folder - the built console, elsewhere than the build puts it.
 */
export function consoleRoutes(
  app: FastifyInstance,
  folder: string = join(packageFolder(), BUILT_CONSOLE),
): void {
  const files = new ConsoleFiles(folder);
  const methods = ['GET', 'HEAD'];

  app.route({
    method: methods,
    url: '/',
    // Programs are answered as if nothing were here.
    config: { permission: 'authenticated', pages: true },
    schema: { hide: true },
    handler: async (request, reply) => {
      if (!wantsPage(request.headers)) throw new AppError('not_found');
      return reply.header('vary', varying(reply, 'Accept')).redirect(`console/${queryOf(request)}`);
    },
  });

  app.route({
    method: methods,
    url: '/console',
    config: { permission: null },
    schema: { hide: true },
    handler: async (request, reply) => reply.redirect(`console/${queryOf(request)}`),
  });

  app.route({
    method: methods,
    url: `${ROOT}*`,
    config: { permission: null },
    schema: { hide: true },
    handler: async (request, reply) => {
      if (!(await files.isBuilt())) {
        throw new AppError('not_found', {
          message: 'The console is not built; run npm run build in the source of the server, and ask again',
        });
      }
      const path = (request.url.split('?', 1)[0] ?? '').slice(ROOT.length);
      const accepted = [request.headers['accept-encoding'] ?? []].flat().join(',');
      const isPage = !path.startsWith('assets/') && (path === '' || wantsPage(request.headers));
      const base = '../'.repeat(path.split('/').length - 1);
      const file =
        (await files.find(path, accepted)) ??
        (isPage ? await files.page(base === '' ? './' : base, accepted) : null);
      if (file === null) throw new AppError('not_found');
      return send(request, reply, file);
    },
  });
}

function send(request: FastifyRequest, reply: FastifyReply, file: SentFile): FastifyReply {
  const { etag, isHashed, coding, type, body } = file;
  reply.headers({
    ...HEADERS,
    etag,
    'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: varying(reply, 'Accept-Encoding'),
  });
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim());
  if (known.includes(etag) || known.includes('*')) return reply.code(UNCHANGED).send();
  if (coding !== 'identity') reply.header('content-encoding', coding);
  return reply.header('content-type', type).send(body);
}

/** The listener has said already that answers depend on `Origin`. */
function varying(reply: FastifyReply, name: string): string {
  const known = reply.raw.getHeader('vary');
  return known === undefined ? name : `${String(known)}, ${name}`;
}

function queryOf({ url }: FastifyRequest): string {
  const query = url.indexOf('?');
  return query === -1 ? '' : url.slice(query);
}
