// The gate's page: with a network, without one, and what the server has afterwards.

import { ask, check, tokenOf, visitor } from './support.mjs';
import { someShow } from './shop.mjs';

const code = 'input[name=code]';

/** Types what a ticket's code says. Returns: the verdict that is then shown. */
async function scan(page, text) {
  const before = await page.textContent('.verdict');
  await page.fill(code, text);
  await page.click('.typed .button');
  await page.waitForFunction((old) => document.querySelector('.verdict').textContent !== old, before);
  return page.textContent('.verdict');
}
const waiting = (page, count) => page.waitForFunction((n) => document.querySelector('.counts div:last-child dd')?.textContent === String(n), count);

async function book(url, show, seats) {
  const token = tokenOf('customer', 'guest');
  const { body: reservation } = await ask(url, 'POST', `/shows/${show}/reserve`, { token, body: { seat_ids: seats } });
  const { status, body } = await ask(url, 'POST', '/bookings', { token, body: { reservation_id: reservation.reservation_id, payment_token: 'pm_card_visa' } });
  check(status === 201, `booked: ${JSON.stringify(body)}`);
  return body;
}

/** Letting people in, and not letting in those whose ticket was used or cancelled, with and without a network. */
export async function gate({ browser, url }) {
  const { show } = await someShow(url);
  const admin = tokenOf('admin', 'boss');
  const added = await ask(url, 'POST', '/admin/gates', { token: admin, body: { gate_id: 'door-1', show_id: show } });
  check(added.status === 201, 'a gate is registered');
  const booking = await book(url, show, ['A1', 'A2', 'A3', 'A4']);
  const [first, second, gone, third] = booking.tickets.map((ticket) => ticket.qr_code);
  const seats = booking.tickets.map((ticket) => ticket.seat_id);
  await ask(url, 'POST', `/bookings/${booking.booking_id}/cancel`, { token: tokenOf('customer', 'guest'), body: { seat_ids: [seats[2]] } });

  const { page, context, troubles } = await visitor(browser, url);
  await page.goto(`${url}/gate`);
  await page.fill('textarea', tokenOf('gate', 'door'));
  await page.click('.sign-in .primary');
  await page.fill('input[name=gate]', 'door-1');
  await page.click('.sign-in .primary');
  await page.waitForSelector('.hint:has-text("as of")');
  check((await scan(page, 'UT1.rubbish')).includes('not one of our tickets'), 'what is no ticket is refused');
  check((await page.$('.gate.is-bad')) !== null, 'in red');
  const welcome = await scan(page, first);
  check(welcome.includes('Come in') && welcome.includes(seats[0]) && !welcome.includes('not yet by the server'), `let in by the server: ${welcome}`);
  check((await page.$('.gate.is-good')) !== null, 'in green');
  check((await scan(page, gone)).includes('cancelled'), 'a cancelled ticket');
  const kept = await page.evaluate(() => JSON.parse(localStorage.getItem('usher.gate')));
  check(kept.revoked.includes(booking.tickets[2].ticket_id), 'the signed list of cancelled tickets is here');

  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await context.setOffline(true);
  await page.reload();
  await page.waitForSelector(code);
  check(true, 'the page opens without a network');
  check((await scan(page, gone)).includes('cancelled'), 'a ticket that was cancelled before is refused without a network');
  const alone = await scan(page, second);
  check(alone.includes('Come in') && alone.includes(seats[1]) && alone.includes('not yet by the server'), `let in by the device: ${alone}`);
  check((await scan(page, first)).includes('Used already'), 'what the server let in before is known');
  check((await scan(page, `${third.slice(0, -9)}AAAAAAAAA`)).includes('not one of our tickets'), 'a forged signature is seen');
  await waiting(page, 4);
  const before = await ask(url, 'GET', `/bookings/${booking.booking_id}`, { token: tokenOf('customer', 'guest') });
  check(before.body.tickets[1].status === 'valid', 'the server has not heard of it yet');
  await context.setOffline(false);
  await waiting(page, 0);
  const after = await ask(url, 'GET', `/bookings/${booking.booking_id}`, { token: tokenOf('customer', 'guest') });
  check(after.body.tickets.map((ticket) => ticket.status).join() === 'used,used,cancelled,valid', `and then it has: ${JSON.stringify(after.body.tickets.map((ticket) => ticket.status))}`);

  await ask(url, 'DELETE', '/admin/gates/door-1', { token: admin });
  check((await scan(page, third)).includes('does not know this gate'), 'a gate that is not registered lets nobody in');
  check(troubles.length === 0, `no script failed: ${troubles}`);
  await context.close();
}
