import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';

/** How the terminal emulator gives a cell its colours. */
const STYLE_ATTRIBUTE =
  /(\w+)\.setAttribute\("style",(`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{\w+\};`)\)/;

/**
 * The content security policy keeps `style` attributes out, but not styles that go through the object model. The
 * emulator has no option for that. A version of it that does it differently must be looked at: the build fails.
 */
function stylesThroughObjectModel(): Plugin {
  return {
    name: 'styles-through-object-model',
    transform(code, id) {
      if (!id.endsWith('/@xterm/xterm/lib/xterm.mjs')) return undefined;
      if (!STYLE_ATTRIBUTE.test(code)) this.error('The emulator sets its styles in an unknown way');
      return { code: code.replace(STYLE_ATTRIBUTE, '$1.style.cssText=$2'), map: null };
    },
  };
}

/** The console is a few static files beside the compiled server, which serves them below `/console/`. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // The server writes where the console is into `<base>`, so it works below any path prefix.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [stylesThroughObjectModel()],
  resolve: { conditions: ['@agentapi-proxy/source', ...defaultClientConditions] },
  build: {
    outDir: '../server/dist/console',
    emptyOutDir: true,
    target: ['chrome111', 'firefox114', 'safari16.4'],
    // The content security policy lets nothing in that is not a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What is bundled is also published, with what its authors ask for.
    license: { fileName: 'licenses.txt' },
  },
});
