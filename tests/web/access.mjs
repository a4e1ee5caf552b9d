// Every page by axe-core (WCAG 2.2 A and AA, best practices), light and dark; and the pictures beside server/web/README.md.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { check, desktop, phone, tokenOf, visitor } from './support.mjs';
import { chooseSeats, openShow, payButton, reserveButton, someShow } from './shop.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function access({ browser, url, shots }) {
  const looks = [['light', desktop, 'desktop'], ['dark', phone, 'phone']];
  for (const [scheme, size, name] of looks) {
    const { page, context } = await visitor(browser, url, { ...size, colorScheme: scheme, bypassCSP: true });
    const look = async (what) => {
      await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => undefined))));
      if (shots) await page.screenshot({ path: join(shots, `${what}-${name}.png`) });
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      for (const one of found.violations) console.log(`  ${what} ${scheme}: ${one.id}: ${one.help}\n    ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any.map((any) => any.message).join(' ').slice(0, 200)}`).join('\n    ')}`);
      check(found.violations.length === 0, `${what}, ${scheme}, ${name}: axe finds ${found.violations.map((one) => one.id)}`);
    };
    await page.goto(url);
    await page.waitForSelector('.film-card');
    await look('home');
    await page.fill('input[name=q]', 'the');
    await page.waitForSelector('#suggestions li');
    await look('search');
    const { movie, show } = await someShow(url);
    await page.goto(`${url}/film/${movie.movie_id}?date=${new Date(Date.now() + 2 * 86400e3).toISOString().slice(0, 10)}`);
    await page.waitForSelector('a.show-button');
    await look('film');
    await openShow(page, url, show);
    const ids = await page.$$eval('.seat.is-available.kind-standard', (seats) => seats.slice(4, 6).map((seat) => seat.dataset.seat));
    await chooseSeats(page, ids);
    await page.click('.seat-list > summary');
    await page.click('.seat-list li summary');
    await look('seats');
    await page.click(reserveButton);
    await page.waitForSelector('.clock');
    await page.click('text=ending 0002');
    await page.click(payButton);
    await page.waitForSelector('.notice-error');
    await look('checkout');
    await page.click('text=ending 4242');
    await page.click(payButton);
    await page.waitForSelector('.ticket');
    await page.waitForLoadState('networkidle');
    await look('ticket');
    await page.click('text=Cancel tickets');
    await page.waitForSelector('.cancel-back:has-text("%")');
    await look('cancel');
    await page.goto(`${url}/my/bookings`);
    await page.waitForSelector('.booking-card b:not(:has-text("…"))');
    await look('bookings');
    await page.goto(`${url}/film/none`);
    await page.waitForSelector('.failure');
    await look('nothing');
    await page.goto(`${url}/console`);
    await page.waitForSelector('.sign-in');
    await look('console-sign-in');
    await page.fill('textarea', tokenOf('admin', 'boss'));
    await page.click('.sign-in .primary');
    await page.waitForSelector('.tile-value');
    await page.waitForTimeout(shots ? 4000 : 0);
    await look('console');
    await page.goto(`${url}/console/shows/${show}`);
    await page.waitForSelector('.seat');
    await look('console-show');
    await page.goto(`${url}/console/time/${show}`);
    await page.waitForSelector('.seat');
    await page.fill('.why input[name="user"]', 'anybody');
    await page.click('.why button');
    await page.waitForSelector('.why-told');
    await look('console-time');
    await page.goto(`${url}/console/rooms`);
    await page.waitForSelector('.open-room');
    await look('console-rooms');
    await page.goto(`${url}/console/catalog`);
    await page.waitForSelector('.panel');
    await look('console-catalog');
    await page.goto(`${url}/docs`);
    await page.waitForSelector('.call');
    await look('docs');
    await page.goto(`${url}/gate`);
    await page.waitForSelector('main');
    await look('gate');
    await context.close();
  }
}
