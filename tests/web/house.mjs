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
  await page.fill('.why input[name="user"]', 'late');
  await page.click('.why button');
  await page.waitForSelector('.why-asked li:has-text("refused: seats unavailable")');
  check(/A1 was reserved by somebody else at \d\d:\d\d:\d\d, record \d+/.test(await page.textContent('.why-asked')), 'who asks why is told who had the seat, when, and by which record');
  check((await page.textContent('.why-told')).includes('they never held a seat'), 'and what the log says of the person');
  check((await page.textContent('.why-seat')).includes('reserved by somebody else'), 'and where the seat went');
  await page.fill('.why input[name="seats"]', 'Z99');
  await page.click('.why button');
  await page.waitForSelector('.why .notice-error:has-text("Z99")');
  check(true, 'a seat that the hall does not have is refused');
  await page.goto(`${url}/console/shows/${show}`);
  await page.click('text=Cancel the show…');
  await page.click('text=Yes, cancel it');
  await page.waitForSelector('h2:has-text("cancelled")');
  check(true, 'a show is cancelled');
  check(troubles.length === 0, `no script failed: ${troubles}`);
  await context.close();
}

/** A waiting room from the console: opened, held, its rate changed, closed. */
export async function rooms({ browser, url }) {
  const { show } = await someShow(url);
  const { page, context, troubles } = await visitor(browser, url);
  const admin = tokenOf('admin', 'boss');
  const state = async () => (await ask(url, 'GET', '/admin/rooms/gala', { token: admin })).body;
  await signIn(page, url, '/console/rooms', 'admin');
  await page.fill('.open-room input[name="show"]', show);
  await page.press('.open-room input[name="show"]', 'Enter');
  await page.waitForSelector(`.chip:has-text("${show}")`);
  await page.fill('.open-room input[name="room_id"]', 'gala');
  await page.fill('.open-room input[name="rate"]', '60');
  await page.click('button:text-is("Open the room")');
  await page.waitForSelector('[data-room="gala"] h2:has-text("60 a minute")');
  check((await state()).status === 'open', 'a room is opened');
  const waits = await ask(url, 'POST', `/shows/${show}/queue`, { token: tokenOf('customer', 'patient') });
  check(waits.status === 201, 'and people wait in it');
  await page.click('[data-room="gala"] button:text-is("Hold")');
  await page.waitForSelector('[data-room="gala"] h2:has-text("on hold")');
  check((await state()).paused === true, 'it is held');
  await page.click('[data-room="gala"] button:text-is("Let people in")');
  await page.waitForSelector('[data-room="gala"] button:text-is("Hold")');
  await page.fill('[data-room="gala"] input[name="rate"]', '600');
  await page.click('[data-room="gala"] button:text-is("Change the rate")');
  await page.waitForSelector('[data-room="gala"] h2:has-text("600 a minute")');
  check((await state()).rate_per_minute === 600, 'its rate is changed');
  await page.goto(`${url}/console/time/${show}`);
  await page.fill('.why input[name="user"]', 'patient');
  await page.click('.why button');
  await page.waitForSelector('.why-told li:has-text("joined")');
  check((await page.textContent('.why-told')).includes('Place 1 of 1 in gala'), 'the time machine tells of the place in the queue');
  await page.goto(`${url}/console/rooms`);
  await page.fill('.open-room input[name="show"]', show);
  await page.press('.open-room input[name="show"]', 'Enter');
  await page.fill('.open-room input[name="room_id"]', 'gala');
  await page.click('button:text-is("Open the room")');
  await page.waitForSelector('[role="status"]:has-text("room_exists")');
  check(true, 'a name that is taken is refused with the reason');
  await page.click('[data-room="gala"] >> text=Close the room…');
  await page.click('text=Yes, close it');
  await page.waitForSelector('[role="status"]:has-text("close gala: done")');
  check(((await state()).status ?? 'removed') !== 'open', 'it is closed');
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
