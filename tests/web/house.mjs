// The pages of those who run the house.

import { ask, check, tokenOf, visitor } from './support.mjs';
import { someShow } from './shop.mjs';

async function signIn(page, url, path, role) {
  await page.goto(url + path);
  await page.fill('textarea', tokenOf(role, 'boss'));
  await page.click('.sign-in .primary');
}

/** Watching a sale, blocking seats, looking back, cancelling a show. */
export async function console_({ browser, url }) {
  const { show } = await someShow(url);
  const { page, context, troubles } = await visitor(browser, url);
  await page.goto(`${url}/console`);
  await page.fill('textarea', 'not a token');
  await page.click('.sign-in .primary');
  await page.waitForSelector('.notice-error');
  check(true, 'a wrong token is refused with a reason');
  await page.fill('textarea', tokenOf('admin', 'boss'));
  await page.click('.sign-in .primary');
  await page.waitForSelector('.tile-value');
  const token = tokenOf('customer', 'watched');
  for (const seat of ['A1', 'A2', 'A3']) {
    const answer = await ask(url, 'POST', `/shows/${show}/reserve`, { token, body: { seat_ids: [seat] } });
    check(answer.status === 201, `reserved ${seat}`);
  }
  const refused = await ask(url, 'POST', `/shows/${show}/reserve`, { token: tokenOf('customer', 'late'), body: { seat_ids: ['A1'] } });
  check(refused.status === 409, 'a taken seat is refused');
  await page.waitForSelector('td:has-text("seats_unavailable")');
  check(true, 'refusals are shown by reason');
  // the slider knows whole seconds: nothing happens within one of the instant that is looked at
  await page.waitForTimeout(1100);
  const noted = new Date().toISOString();
  await page.waitForTimeout(1100);
  await page.goto(`${url}/console/shows/${show}`);
  await page.waitForSelector('[data-seat="A1"].is-reserved');
  await page.focus('[data-seat="A4"]');
  await page.keyboard.press(' ');
  await page.click('button:text-is("Block")');
  await page.waitForSelector('[data-seat="A4"].is-booked');
  check(true, 'a seat is blocked and shown so');
  await page.goto(`${url}/console/time/${show}`);
  await page.waitForSelector('[data-seat="A4"].is-booked');
  check(true, 'the time machine shows the present');
  await page.evaluate((instant) => {
    const slider = document.querySelector('.time-slider');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(slider, String(Date.parse(instant)));
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  }, noted);
  await page.waitForSelector('[data-seat="A4"].is-available');
  check((await page.$('[data-seat="A1"].is-reserved')) !== null, 'and the past: reserved then, not yet blocked');
  check((await page.textContent('.steps')).includes('A4'), 'and says what changed');
  await page.goto(`${url}/console/shows/${show}`);
  await page.click('text=Cancel the show…');
  await page.click('text=Yes, cancel it');
  await page.waitForSelector('h2:has-text("cancelled")');
  check(true, 'a show is cancelled');
  check(troubles.length === 0, `no script failed: ${troubles}`);
  await context.close();
}

/** The API's own page, with a call that runs. */
export async function docs({ browser, url }) {
  const { page, context, troubles } = await visitor(browser, url);
  await page.goto(`${url}/docs`);
  await page.waitForSelector('#listCities');
  const described = (await ask(url, 'GET', '/openapi.json')).body;
  const count = Object.values(described.paths).flatMap((item) => Object.keys(item).filter((name) => ['get', 'post', 'put', 'delete', 'patch'].includes(name))).length;
  check((await page.$$('.call')).length === count, `all ${count} calls are there`);
  await page.click('#listCities .try summary');
  await page.click('#listCities .try .primary');
  await page.waitForSelector('#listCities pre:has-text("Berlin")');
  check(true, 'an example runs');
  check(troubles.length === 0, `no script failed: ${troubles}`);
  await context.close();
}
