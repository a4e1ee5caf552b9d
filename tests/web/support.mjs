// What the tests of the pages share: the server, the browser, and a check that counts.

import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const home = dirname(fileURLToPath(import.meta.url));
export const root = resolve(home, '../..');
export const program = join(process.env.USHER_BUILD ?? join(root, 'build/release'), 'usher');
const secret = 'a secret of the tests of the pages only';
export const chromiumPath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path));

let passed = 0;
let failed = 0;
/** Counts, and goes on: one run tells all that is wrong. */
export function check(fits, what) {
  if (fits) passed += 1;
  else {
    failed += 1;
    console.log(`FAILED: ${what}`);
  }
  return Boolean(fits);
}
export const result = () => ({ passed, failed });

/** A server with the demo catalog on a port of the system's choice, in a folder of its own. */
export async function startServer(settings = {}) {
  const data = mkdtempSync(join(tmpdir(), 'usher-web.'));
  const all = { 'http.port': 0, 'identity.hs256_secret': secret, 'wal.demand_journal': join(data, 'demand'), 'server.loops': 2, ...settings };
  const child = spawn(program, ['serve', '--data', join(data, 'data'), '--catalog', join(root, 'tools/demo/catalog.json'),
    ...Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`])], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  const url = await new Promise((done, fail) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        log.push(line);
        const found = /listening on (http:\/\/[\d.]+:\d+)/.exec(line);
        if (found) server.url = found[1];
        if (/ready: look at/.test(line)) done(server.url);
      });
    }
    child.on('exit', (code) => fail(new Error(`the server ended with ${code}:\n${log.join('\n')}`)));
  });
  child.removeAllListeners('exit');
  return {
    url, log,
    async stop() {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      const code = await ended;
      rmSync(data, { recursive: true, force: true });
      return code;
    },
  };
}
const server = { url: '' };

/** A token as `usher token` makes it: HS256 by the tests' secret. */
export function tokenOf(role, user) {
  const text = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const signed = `${text({ alg: 'HS256', typ: 'JWT' })}.${text({ sub: user, role, iat: now, exp: now + 3600 })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** Calls the API as somebody. Returns: status and body. */
export async function ask(url, method, path, { token, body } = {}) {
  const response = await fetch(url + path, {
    method, headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body ? { 'Content-Type': 'application/json' } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null };
}

export async function startBrowser() {
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
}

export const desktop = { viewport: { width: 1280, height: 860 }, locale: 'en-GB', timezoneId: 'Europe/Berlin' };
export const phone = { viewport: { width: 390, height: 844 }, locale: 'en-GB', timezoneId: 'Europe/Berlin', hasTouch: true, isMobile: true };

/** A visitor: a session of their own, whose scripts must not fail. */
export async function visitor(browser, url, options = desktop) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(20000);
  const page = await context.newPage();
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|Refused to/.test(message.text())) troubles.push(message.text());
  });
  page.on('dialog', (dialog) => {
    troubles.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { context, page, troubles, url };
}
