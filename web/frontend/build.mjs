// Bundles the browser parts into web/static/dist: the same input gives the same bytes.

import { build } from 'esbuild';
import { copyFileSync, rmSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const dist = join(root, 'web', 'static', 'dist');

const entries = {
  app: 'js/app.js',
  diagram: 'js/diagram.js',
  editor: 'js/editor.js',
  'decision-editor': 'js/decision_editor.js',
  'form-editor': 'js/form_editor.js',
  audit: 'js/audit.js',
  audit: 'js/audit.js',
  swagger: 'js/swagger.js',
};

// Two parts style the page in ways our content security policy refuses, one writes other attributes than
// it read, and there is no other way than a changed line. If a new version no longer has the line, the
// build says so.
const lines = [
  {
    file: /style-mod[\\/]src[\\/]style-mod\.js$/,
    from: '!root.head && root.adoptedStyleSheets',
    to: 'root.adoptedStyleSheets', // constructed style sheets everywhere, not only inside shadow roots
  },
  {
    file: /bpmn-js-properties-panel[\\/]dist[\\/]index\.esm\.js$/,
    from: '<div style="height: 100%" tabindex="-1" class="bio-properties-panel-container">',
    to: '<div tabindex="-1" class="bio-properties-panel-container">', // editor.css gives the height
  },
  {
    file: /moddle-xml[\\/]dist[\\/]index\.js$/,
    from: 'if (this.isLocalNs(effectiveNs)) {',
    to: 'if (this.isLocalNs(effectiveNs) && !(isString(element) && ns.prefix)) {', // `x:a` in `x:b` stays `x:a`
  },
];

const changedLines = {
  name: 'changed-lines',
  setup(bundler) {
    for (const { file, from, to } of lines) {
      bundler.onLoad({ filter: file }, ({ path }) => {
        const source = readFileSync(path, 'utf8');
        if (!source.includes(from)) throw new Error(`${path} has changed: look at this line again`);
        return { contents: source.replace(from, to), loader: 'js' };
      });
    }
  },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

await build({
  absWorkingDir: root,
  entryPoints: Object.entries(entries).map(([out, file]) => ({ in: join(here, file), out })),
  outdir: dist,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome111', 'firefox115', 'safari16.4'],
  charset: 'utf8',
  legalComments: 'none',
  metafile: false,
  sourcemap: false,
  assetNames: 'assets/[name]-[hash]',
  // Relative addresses keep the fonts reachable wherever the application is mounted.
  loader: { '.woff': 'file', '.woff2': 'file', '.ttf': 'file', '.eot': 'empty', '.svg': 'file', '.png': 'file' },
  mainFields: ['module', 'browser', 'main'],
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  plugins: [changedLines],
  logLevel: 'warning',
});

// What certificates are set in. It is embedded in each of them, so that they print alike everywhere.
const font = '@expo-google-fonts/noto-serif-sc/400Regular/NotoSerifSC_400Regular.ttf';
copyFileSync(join(root, 'node_modules', font), join(dist, 'certificate.ttf'));

const files = readdirSync(dist, { withFileTypes: true }).filter((entry) => entry.isFile());
const kilobytes = (name) => Math.round(statSync(join(dist, name)).size / 1024);
for (const { name } of files.sort((a, b) => a.name.localeCompare(b.name))) {
  console.log(`${String(kilobytes(name)).padStart(6)} kB  web/static/dist/${name}`);
}
