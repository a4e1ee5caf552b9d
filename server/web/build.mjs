// Bundles the pages: node build.mjs --out FOLDER [--cpp FILE]. Writes the files to FOLDER (assets named by their hash) and, for
// the program, a C++ source that holds every file as it is and gzipped. The same sources give the same bytes.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync, constants } from 'node:zlib';
import { build } from 'esbuild';

const home = dirname(fileURLToPath(import.meta.url));
const option = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const out = option('--out');
if (!out) {
  console.error('usage: node build.mjs --out FOLDER [--cpp FILE]');
  process.exit(2);
}

const types = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
  webmanifest: 'application/manifest+json',
};
const hash = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 10);
const files = new Map(); // path -> bytes

const pages = {
  app: 'Usher',
  console: 'Usher console',
  gate: 'Usher gate',
  docs: 'Usher API',
};

const bundle = await build({
  absWorkingDir: home,
  entryPoints: Object.fromEntries(Object.keys(pages).map((name) => [name, `src/${name}.tsx`])),
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['es2020'],
  minify: true,
  legalComments: 'none',
  outdir: '/assets',
  entryNames: '[name]-[hash]',
  chunkNames: 'part-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.woff2': 'file' },
  publicPath: '/assets',
  metafile: true,
  write: false,
  logLevel: 'warning',
});
for (const file of bundle.outputFiles) files.set(`/assets/${file.path.split('/').pop()}`, Buffer.from(file.contents));

const entryOf = (name, ending) =>
  [...files.keys()].find((path) => path.startsWith(`/assets/${name}-`) && path.endsWith(ending));
const template = readFileSync(join(home, 'src/page.html'), 'utf8');
const font = [...files.keys()].find((path) => path.includes('latin-wght') && !path.includes('latin-ext'));
for (const [name, title] of Object.entries(pages)) {
  const html = template
    .replaceAll('{{title}}', title)
    .replaceAll('{{script}}', entryOf(name, '.js'))
    .replaceAll('{{style}}', entryOf(name, '.css'))
    .replaceAll('{{font}}', font);
  files.set(`/${name}.html`, Buffer.from(html));
}
files.set('/favicon.svg', readFileSync(join(home, 'src/favicon.svg')));
files.set('/usher.webmanifest', readFileSync(join(home, 'src/usher.webmanifest')));

// The gate works without a network: its worker keeps exactly the files that its page needs.
const nameOf = (path) => `/assets/${path.split('/').pop()}`;
const gather = (name, lazy, parts = new Set()) => {
  const found = Object.entries(bundle.metafile.outputs).find(([path]) => nameOf(path) === name);
  parts.add(name);
  for (const { path, kind } of found?.[1].imports ?? []) {
    if (/\.js$/.test(path) && (lazy || kind === 'import-statement') && !parts.has(nameOf(path))) gather(nameOf(path), lazy, parts);
  }
  return parts;
};
const kept = ['/gate', entryOf('gate', '.css'), font, '/favicon.svg', ...gather(entryOf('gate', '.js'), true)];
const worker = await build({
  absWorkingDir: home,
  entryPoints: ['src/gate-worker.ts'],
  bundle: true,
  format: 'iife',
  minify: true,
  target: ['es2020'],
  define: { KEPT: JSON.stringify(kept), VERSION: JSON.stringify(hash(kept.join())) },
  write: false,
});
files.set('/gate-worker.js', Buffer.from(worker.outputFiles[0].contents));

rmSync(out, { recursive: true, force: true });
for (const [path, bytes] of files) {
  mkdirSync(dirname(join(out, path)), { recursive: true });
  writeFileSync(join(out, path), bytes);
}

const gzipped = (bytes) => gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
let customer = 0;
for (const path of gather(entryOf('app', '.js'), true)) customer += gzipped(files.get(path)).length;
console.log(`${files.size} files; JavaScript of the customer's pages: ${(customer / 1024).toFixed(1)} kB gzipped`);
if (customer > 100 * 1024) {
  console.error('more than 100 kB: too much');
  process.exit(1);
}

const cpp = option('--cpp');
if (cpp) {
  const literal = (bytes) => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 1024) {
      let line = '"';
      for (const byte of bytes.subarray(at, at + 1024)) {
        if (byte === 0x22 || byte === 0x5c) line += `\\${String.fromCharCode(byte)}`;
        else if (byte >= 0x20 && byte < 0x7f && byte !== 0x3f) line += String.fromCharCode(byte);
        else line += `\\${byte.toString(8).padStart(3, '0')}`;
      }
      text += `\n    ${line}"`;
    }
    return text || '""';
  };
  let source = '#include "server/web/pages.hpp"\n\n#include <array>\n\nnamespace usher::server::web {\nnamespace {\n\n';
  const rows = [];
  let index = 0;
  for (const path of [...files.keys()].sort()) {
    const bytes = files.get(path);
    const type = types[path.split('.').pop()];
    const packed = gzipped(bytes);
    const small = packed.length < bytes.length * 0.95;
    source += `constexpr char plain_${index}[] = ${literal(bytes)};\n`;
    if (small) source += `constexpr char gzip_${index}[] = ${literal(packed)};\n`;
    rows.push(
      `    File{"${path}", "${type}", "\\"${hash(bytes)}\\"", {plain_${index}, ${bytes.length}}, ` +
        `{${small ? `gzip_${index}, ${packed.length}` : ''}}},`,
    );
    index += 1;
  }
  source += `\nconstexpr std::array<File, ${rows.length}> all{{\n${rows.join('\n')}\n}};\n\n}  // namespace\n\n`;
  source += 'std::span<const File> files() noexcept {\n  return all;\n}\n\n}  // namespace usher::server::web\n';
  mkdirSync(dirname(cpp), { recursive: true });
  writeFileSync(cpp, source);
}
