import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';

/** The console is a few static files beside the compiled server, which serves them below `/console/`. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // The server writes where the console is into `<base>`, so it works below any path prefix.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: { conditions: ['@agentapi-proxy/source', ...defaultClientConditions] },
  build: {
    outDir: '../server/dist/console',
    emptyOutDir: true,
    target: ['chrome111', 'firefox114', 'safari16.4'],
    // The content security policy lets nothing in that is not a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
