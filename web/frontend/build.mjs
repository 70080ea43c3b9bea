// Bundles the browser parts into web/static/dist: the same input gives the same bytes.

import { build } from 'esbuild';
import { rmSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const dist = join(root, 'web', 'static', 'dist');

const entries = {
  app: 'js/app.js',
  diagram: 'js/diagram.js',
  swagger: 'js/swagger.js',
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
  logLevel: 'warning',
});

const files = readdirSync(dist, { withFileTypes: true }).filter((entry) => entry.isFile());
const kilobytes = (name) => Math.round(statSync(join(dist, name)).size / 1024);
for (const { name } of files.sort((a, b) => a.name.localeCompare(b.name))) {
  console.log(`${String(kilobytes(name)).padStart(6)} kB  web/static/dist/${name}`);
}
