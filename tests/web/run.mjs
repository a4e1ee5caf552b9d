// Drives Debian's Chromium through the pages against the real server: node run.mjs [PART...] [--shots FOLDER]
//
// Parts: booking, rivals, live, waiting, reload, expiry, phone, words, rude, console, rooms, docs, gate, access (default: all). Prints "N checks passed, M failed"
// as its last line. --shots also writes the pictures that stand beside server/web/README.md.

import { chromiumPath, check, result, startBrowser, startServer } from './support.mjs';
import * as shop from './shop.mjs';
import { gate } from './gate.mjs';
import * as house from './house.mjs';
import { access } from './access.mjs';

if (!chromiumPath) {
  console.log('SKIPPED: no Chromium here (apt-get install chromium); the pages were not looked at');
  process.exit(77);
}
let browser;
try {
  browser = await startBrowser();
} catch (error) {
  console.log(`SKIPPED: Chromium cannot run here: ${String(error).split('\n')[0]}`);
  process.exit(77);
}

const parts = { booking: shop.booking, rivals: shop.rivals, live: shop.live, waiting: shop.waiting, reload: shop.reload, expiry: shop.expiry, phone: shop.phoneBooking, words: shop.words, rude: shop.rude, console: house.console_, rooms: house.rooms, docs: house.docs, gate, access };
const wanted = process.argv.slice(2).filter((name) => !name.startsWith('--') && parts[name]);
const shots = process.argv.includes('--shots') ? process.argv[process.argv.indexOf('--shots') + 1] : null;
const settings = { 'payments.latency': '300ms', 'policy.reservations_per_user_and_show': 0, 'tickets.valid_before': '720h' };
const server = await startServer(settings);
try {
  for (const [name, run] of Object.entries(parts)) {
    if (wanted.length && !wanted.includes(name)) continue;
    const began = Date.now();
    try {
      await run({ browser, url: server.url, shots });
    } catch (error) {
      check(false, `${name}: ${error.stack ?? error}`);
    }
    console.log(`${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  }
} finally {
  await browser.close();
  check((await server.stop()) === 0, 'the server ends well');
}
const { passed, failed } = result();
console.log(`${passed} checks passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
