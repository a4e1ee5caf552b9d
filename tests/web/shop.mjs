// The customer's pages.

import { ask, check, desktop, phone, startServer, tokenOf, visitor } from './support.mjs';

/** Opens a show of the day after tomorrow that nobody else in these tests uses. */
let taken = 0;
export async function someShow(url) {
  const date = new Date(Date.now() + 2 * 86400e3).toISOString().slice(0, 10);
  const { body } = await ask(url, 'GET', `/movies?city=Berlin&date=${date}&limit=50`);
  const movie = body.movies[taken++ % body.movies.length];
  const times = await ask(url, 'GET', `/movies/${movie.movie_id}/showtimes?city=Berlin&date=${date}`);
  return { movie, show: times.body.theaters[0].shows.at(-1).show_id };
}
export async function openShow(page, url, show) {
  await page.goto(`${url}/show/${show}`);
  await page.waitForSelector('.seat.is-available');
}
export async function chooseSeats(page, ids) {
  for (const id of ids) {
    await page.focus(`[data-seat="${id}"]`);
    await page.keyboard.press(' ');
    await page.waitForSelector(`[data-seat="${id}"].is-chosen`);
  }
}
export const reserveButton = '.choice .primary';
export const payButton = '.pay .primary';
const freeSeats = (page, count) => page.$$eval('.seat.is-available.kind-standard', (seats, n) => seats.slice(0, n).map((seat) => seat.dataset.seat), count);

/** From the first page to the ticket and back again, as somebody would who has never been here. */
export async function booking({ browser, url }) {
  const { page, troubles, context } = await visitor(browser, url);
  await page.goto(url);
  await page.waitForSelector('.film-card');
  check((await page.title()).includes('Berlin'), 'the city of the visitor\'s time zone is chosen');
  await page.click('.day:nth-child(3)');
  await page.waitForSelector('.film-card');
  await page.fill('input[name=q]', 'fihgt clb');
  await page.waitForSelector('#suggestions li');
  check((await page.textContent('#suggestions li')).includes('Fight Club'), 'a suggestion forgives typos');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.film-hero h1');
  check((await page.textContent('.film-hero h1')) === 'Fight Club', 'the suggestion leads to its film');
  await page.click('.day:nth-child(3)');
  await page.click('a.show-button');
  await page.waitForSelector('.seat.is-available');
  await page.click('.best .button');
  await page.waitForSelector('.clock b');
  const clock = () => /^\d:\d\d$|^10:00$/.test(document.querySelector('.clock b')?.textContent ?? '');
  await page.waitForFunction(clock, null, { timeout: 5_000 }).catch(() => undefined);
  check(/^\d:\d\d$|^10:00$/.test(await page.textContent('.clock b')), 'the clock runs');
  check((await page.$$('.seat-tag')).length === 2, 'the best two seats are reserved in one click');
  await page.click('text=ending 0002');
  await page.click(payButton);
  await page.waitForSelector('.notice-error');
  check((await page.textContent('.notice-error')).includes('declined'), 'a declined card is told, and the seats are kept');
  await page.click('text=ending 9995');
  await page.click(payButton);
  await page.waitForSelector('.notice-error:has-text("not enough money")');
  await page.click('text=ending 4242');
  await page.click(payButton);
  await page.waitForSelector('.ticket');
  check((await page.$$('.ticket')).length === 2, 'two tickets');
  const address = page.url().split('?')[0];
  await page.goto(`${url}/my/bookings`);
  await page.waitForSelector('.booking-card');
  await page.click('.booking-card');
  await page.waitForSelector('.ticket');
  check(page.url() === address, 'the history leads to the booking');
  await page.click('text=Cancel tickets');
  await page.waitForSelector('.cancel-back:has-text("100 %")');
  await page.uncheck('.check-row input >> nth=0');
  await page.click('.cancelling .danger');
  await page.waitForSelector('.notice-good');
  await page.waitForSelector('.ticket.is-cancelled');
  check((await page.$$('.ticket.is-cancelled')).length === 1, 'one of two tickets is cancelled');
  check(troubles.length === 0, `no script failed and nothing was refused: ${troubles}`);
  await context.close();
}

/** Two people want the same seat: one gets it, the other is told, and both maps agree. */
export async function rivals({ browser, url }) {
  const { show } = await someShow(url);
  const one = await visitor(browser, url);
  const two = await visitor(browser, url);
  await Promise.all([openShow(one.page, url, show), openShow(two.page, url, show)]);
  const [first, second] = await freeSeats(one.page, 2);
  await Promise.all([chooseSeats(one.page, [first, second]), chooseSeats(two.page, [second])]);
  // at once, before the feed tells the slower one
  await Promise.all([one, two].map(({ page }) => page.$eval(reserveButton, (button) => button.click())));
  // the winner may hear of its own seats by the feed before the answer comes
  const end = async ({ page }) => {
    await page.waitForSelector('.clock, .choice-message .notice');
    return page.waitForSelector('.clock', { timeout: 3000 }).then(() => 'clock', () => 'notice');
  };
  const ends = await Promise.all([end(one), end(two)]);
  check(ends.filter((name) => name.includes('clock')).length === 1, `exactly one of two gets the seat: ${ends}`);
  const loser = ends[0].includes('clock') ? two : one;
  check((await loser.page.textContent('.choice-message')).includes(second), 'the other is told which seat is gone');
  await loser.page.waitForSelector(`[data-seat="${second}"].is-reserved`);
  check(true, 'and sees it taken');
  // what one takes, the other sees without asking
  const third = (await freeSeats(loser.page, 1))[0];
  const before = Date.now();
  const other = await ask(url, 'POST', `/shows/${show}/reserve`, { token: tokenOf('customer', 'third'), body: { seat_ids: [third] } });
  check(other.status === 201, 'a third one reserves');
  await loser.page.waitForSelector(`[data-seat="${third}"].is-reserved`);
  console.log(`  a change was on screen ${Date.now() - before} ms after the reserve was sent`);
  check([...one.troubles, ...two.troubles].length === 0, `no script failed: ${[...one.troubles, ...two.troubles]}`);
  await one.context.close();
  await two.context.close();
}

/** The seat map is alive by WebSocket; where that is broken by events; where those are, too, by asking again. */
export async function live({ browser, url }) {
  const { show } = await someShow(url);
  const broken = (names) => names.forEach((name) => {
    window[name] = class {
      constructor() { setTimeout(() => (name === 'WebSocket' ? this.onclose : this.onerror)?.()); }
      close() {}
    };
  });
  const ways = [];
  for (const [names, state] of [[[], 'live'], [['WebSocket'], 'live'], [['WebSocket', 'EventSource'], 'polling']]) {
    const guest = await visitor(browser, url);
    await guest.page.addInitScript(broken, names);
    const asked = [];
    guest.page.on('request', (request) => /\/seats$/.test(request.url()) && asked.push(request.url()));
    await openShow(guest.page, url, show);
    await guest.page.waitForSelector(`.live-${state}`);
    ways.push({ ...guest, asked, what: names.length ? `without ${names.join(' and ')}` : 'by WebSocket' });
  }
  const [seat] = await freeSeats(ways[0].page, 1);
  const seen = ways.map(async ({ page, what }) => {
    await page.waitForSelector(`[data-seat="${seat}"].is-reserved`);
    console.log(`  ${what}: on screen after ${Date.now() - before} ms`);
  });
  const before = Date.now();
  const made = await ask(url, 'POST', `/shows/${show}/reserve`, { token: tokenOf('customer', 'live'), body: { seat_ids: [seat] } });
  check(made.status === 201, 'somebody reserves');
  await Promise.all(seen);
  check((await ask(url, 'DELETE', `/reservations/${made.body.reservation_id}`, { token: tokenOf('customer', 'live') })).status === 204, 'and gives back');
  await Promise.all(ways.map(({ page }) => page.waitForSelector(`[data-seat="${seat}"].is-available`)));
  check(ways.slice(0, 2).every(({ asked }) => asked.length === 1), `who is told does not ask: ${ways.map(({ asked }) => asked.length)}`);
  check(ways[2].asked.length > 1, 'who is not told asks');
  for (const { context, troubles, what } of ways) {
    check(troubles.length === 0, `${what}, no script failed: ${troubles}`);
    await context.close();
  }
}

/** The page is reloaded in the middle of a payment: paid once, shown once. */
/** Who wants seats of a guarded show waits in line, is let in, and chooses; a reload keeps the place. */
export async function waiting({ browser, url }) {
  const { show } = await someShow(url);
  const token = tokenOf('admin', 'house');
  const opened = await ask(url, 'POST', '/admin/rooms', { token, body: { room_id: 'premiere', show_ids: [show], paused: true } });
  check(opened.status === 201, `a waiting room is opened: ${JSON.stringify(opened.body)}`);
  const { page, context, troubles } = await visitor(browser, url);
  await openShow(page, url, show);
  await chooseSeats(page, await freeSeats(page, 1));
  await page.click(reserveButton);
  await page.waitForURL('**/wait/**');
  await page.waitForSelector('.line-waiting');
  check((await page.textContent('.line-ahead b')).trim() === '0', 'nobody stands before');
  const place = page.url();
  await page.reload();
  await page.waitForSelector('.line-waiting');
  check(page.url() === place, 'a reload keeps the place');
  await ask(url, 'PATCH', '/admin/rooms/premiere', { token, body: { paused: false } });
  await page.waitForSelector('.line-admitted', { timeout: 30_000 });
  await page.click('.line-admitted .primary');
  await page.waitForSelector('.choosing');
  await chooseSeats(page, await freeSeats(page, 1));
  await page.click(reserveButton);
  await page.waitForURL('**/checkout/**');
  const unexpected = troubles.filter((text) => !text.includes('403'));
  check(unexpected.length === 0, `no script failed: ${unexpected}`);
  await context.close();
  const second = await visitor(browser, url);
  await openShow(second.page, url, show);
  await chooseSeats(second.page, await freeSeats(second.page, 1));
  await second.page.click(reserveButton);
  await second.page.waitForURL('**/wait/**');
  await ask(url, 'POST', '/admin/rooms/premiere/close', { token });
  await second.page.waitForSelector('.line-closed', { timeout: 40_000 });
  check(true, 'who waits is told that the line is closed');
  await second.context.close();
}

export async function reload({ browser, url }) {
  const { show } = await someShow(url);
  const { page, context, troubles } = await visitor(browser, url);
  await openShow(page, url, show);
  await chooseSeats(page, await freeSeats(page, 1));
  await page.click(reserveButton);
  await page.waitForSelector('.clock b');
  await page.reload();
  await page.waitForSelector('.clock b');
  check(true, 'the countdown survives a reload');
  const sent = [];
  page.on('request', (request) => request.method() === 'POST' && request.url().endsWith('/bookings') && sent.push(request.headers()['idempotency-key']));
  const going = page.waitForRequest((request) => request.url().endsWith('/bookings') && request.method() === 'POST');
  await page.click(payButton);
  await going;
  await page.reload();
  await page.waitForSelector('.ticket');
  check(sent.length >= 2 && new Set(sent).size === 1, `the same payment was asked for again: ${sent.length} times, ${new Set(sent).size} key`);
  const list = await page.evaluate(async () => (await fetch('/bookings')).json());
  check(list.bookings.length === 1 && list.bookings[0].tickets.length === 1, 'and there is one booking');
  check(troubles.length === 0, `no script failed: ${troubles}`);
  await context.close();
}

/** A reservation runs out before one's eyes. */
export async function expiry({ browser }) {
  const server = await startServer({ 'policy.reservation_ttl': '3s', 'policy.payment_grace': '1s', 'policy.cooldown_after_abandoned': 0 });
  const { page, context, troubles } = await visitor(browser, server.url);
  const { show } = await someShow(server.url);
  await openShow(page, server.url, show);
  const [seat] = await freeSeats(page, 1);
  await chooseSeats(page, [seat]);
  await page.click(reserveButton);
  await page.waitForSelector('.clock.is-short');
  await page.waitForSelector('h1:has-text("Your time is up")');
  check(true, 'the page says that the time is up');
  await page.click('text=Choose again');
  await page.waitForSelector(`[data-seat="${seat}"].is-available`);
  check(true, 'and the seat is free again');
  check((await page.$('.held')) === null, 'nothing is said to be held any more');
  check(troubles.length === 0, `no script failed: ${troubles}`);
  await context.close();
  check((await server.stop()) === 0, 'the server ends well');
}

/** The same by touch on a small screen; nothing sticks out. */
export async function phoneBooking({ browser, url }) {
  const { show } = await someShow(url);
  const { page, context, troubles } = await visitor(browser, url, phone);
  const fits = async (where) => check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where}: nothing is wider than the phone`);
  await page.goto(url);
  await page.waitForSelector('.film-card');
  await fits('home');
  await openShow(page, url, show);
  await fits('seats');
  const box = await (await page.$('.seat.is-available.kind-standard')).boundingBox();
  await page.touchscreen.tap(box.x + box.width / 2 + 3, box.y + box.height / 2 + 3);
  await page.waitForSelector('.hall-map .is-chosen');
  check((await page.$$('.hall-map .is-chosen')).length === 1, 'a tap near a seat takes it');
  await page.click('[aria-label="Zoom in"]');
  check(await page.$eval('svg.seats', (map) => map.classList.contains('is-zoomed')), 'the map zooms');
  await page.click('[aria-label="Whole hall"]');
  await page.click(reserveButton);
  await page.waitForSelector('.clock');
  await fits('checkout');
  await page.click(payButton);
  await page.waitForSelector('.ticket');
  await fits('ticket');
  check(troubles.length === 0, `no script failed: ${troubles}`);
  await context.close();
}

/** Each visitor in their own language, prices and times as they write them. */
export async function words({ browser, url }) {
  for (const [locale, title, price] of [['de-DE', 'Meine Buchungen', /\d+,\d\d\s€/], ['fr-FR', 'Mes réservations', /\d+,\d\d\s€/], ['ja-JP', 'My bookings', /€\d+\.\d\d/]]) {
    const { page, context } = await visitor(browser, url, { ...desktop, locale, timezoneId: 'America/New_York' });
    await page.goto(`${url}/my/bookings`);
    await page.waitForSelector('.empty');
    check((await page.textContent('h1')) === title, `${locale}: ${title}`);
    check((await page.getAttribute('html', 'lang')) === (locale === 'ja-JP' ? 'en' : locale.slice(0, 2)), `${locale}: the page says its language`);
    const { show } = await someShow(url);
    await openShow(page, url, show);
    const name = await page.getAttribute('.seat', 'aria-label');
    check(price.test(name.replace(/\u202f|\u00a0/g, ' ')), `${locale}: the price in ${name}`);
    await context.close();
  }
}

/** What people type and what files say: shown as it is, never executed. */
export async function rude({ browser, url }) {
  const admin = tokenOf('admin', 'boss');
  const titles = ['<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>', '\u202eright to left\u202c שלום', '🎬🍿👩‍👩‍👧‍👦', `${'W'.repeat(190)}`, "'; DROP TABLE movies; --", '"onmouseover="window.hurt=1'];
  const source = (await ask(url, 'GET', '/theaters?city=Berlin')).body.theaters[0];
  const screen = (await ask(url, 'GET', `/theaters/${source.theater_id}`)).body.screens[0];
  const start = (day, hour) => new Date(Date.now() + day * 86400e3).toISOString().slice(0, 10) + `T${String(hour).padStart(2, '0')}:00:00Z`;
  const imported = await ask(url, 'POST', '/admin/import', { token: admin, body: {
    movies: titles.map((title, i) => ({ movie_id: `rude-${i}`, title, description: title, duration_minutes: 60, genre: title.slice(0, 40), cast: [title.slice(0, 100)] })),
    theaters: [{ theater_id: 'rude', name: titles[0].slice(0, 100), city: 'Berlin', city_id: source.city_id, address: titles[2], latitude: source.latitude, longitude: source.longitude, time_zone: source.time_zone,
      screens: [{ screen_id: 'rude-1', name: '<b>Saal</b>', seat_layout: { rows: [{ row: 'A', seats: '4S' }] } }] }],
    shows: titles.map((_, i) => ({ show_id: `rude-show-${i}`, movie_id: `rude-${i}`, screen_id: 'rude-1', start_time: start(3, 1 + 2 * i), price_standard: { amount: 900, currency: 'EUR' }, price_premium: { amount: 900, currency: 'EUR' } })),
  } });
  if (!check(imported.status === 200, `rude titles are imported: ${JSON.stringify(imported.body).slice(0, 300)}`)) return void screen;
  const { page, context, troubles } = await visitor(browser, url);
  const clean = async (where) => {
    check(!(await page.evaluate(() => window.hurt)), `${where}: nothing was executed`);
    check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where}: nothing sticks out`);
  };
  for (let i = 0; i < titles.length; ++i) {
    await page.goto(`${url}/film/rude-${i}?city=${source.city_id}&date=${start(3, 1).slice(0, 10)}`);
    await page.waitForSelector('a.show-button');
    check((await page.textContent('.film-hero h1')) === titles[i], `the title stands as it was given: ${titles[i].slice(0, 30)}`);
    await clean(`film ${i}`);
    await page.goto(`${url}/?q=${encodeURIComponent(titles[i])}`);
    await page.waitForSelector('.film-card, .empty');
    await clean(`search ${i}`);
  }
  await openShow(page, url, 'rude-show-0');
  await clean('seats');
  for (const address of ['/film/%3Cscript%3E', '/film/%ff', '/show/none', '/checkout/none', '/my/bookings/none', '/film/' + 'x'.repeat(2000)]) {
    await page.goto(url + address);
    await page.waitForSelector('.failure h1, h1');
    await clean(address.slice(0, 30));
  }
  const served = await fetch(`${url}/nothing-here`, { headers: { Accept: 'text/html' } });
  check(served.status === 404, 'an unknown address is 404');
  check(troubles.length === 0, `no script failed and nothing was refused: ${troubles}`);
  await context.close();
}
