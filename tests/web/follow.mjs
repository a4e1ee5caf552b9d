// Seat maps kept by npm's `ws` and by the WebSocket of a real Chromium, as any shop would keep them, beside the server's own map:
// node follow.mjs
//
// A server and a relay, readers of both kinds on each, seats that change without end, and every reader thrown off its connection again and
// again: it comes back with the LSN that it knows. Every message must fit what the reader has; in the end every map must
// equal GET /shows/{id}/seats. 1,500 changes and 12 reconnects per reader; USHER_THOROUGH=1: 10,000 and 50.
// Prints "N checks passed, M failed" as its last line; code 77: there is no Chromium.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import { someShow } from './shop.mjs';
import { ask, check, chromiumPath, program, result, startBrowser, startServer, tokenOf } from './support.mjs';

const thorough = process.env.USHER_THOROUGH === '1';
const changes = thorough ? 10_000 : 1_500;
const reconnects = thorough ? 50 : 12;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * Follows a show by `WebSocketOf` (npm's or the browser's; the page gets this function's text, so it uses nothing from outside).
 * Returns: what it knows, and stop().
 */
function follow(WebSocketOf, address, reconnectsWanted) {
  const state = { lsn: null, seats: {}, status: null, snapshots: 0, deltas: 0, reconnects: 0, faults: [] };
  let socket;
  let stopped = false;
  const fault = (what) => { if (state.faults.length < 5) state.faults.push(what); };
  const take = (message) => {
    if (message.type === 'snapshot') {
      if (message.prev_lsn !== null) fault('a snapshot builds on something');
      state.seats = { ...message.seats };
      state.snapshots += 1;
    } else {
      if (message.prev_lsn !== state.lsn) fault(`at ${state.lsn} came what builds on ${message.prev_lsn}`);
      for (const seat of Object.keys(message.seats)) if (!(seat in state.seats)) fault(`seat ${seat} is unknown`);
      Object.assign(state.seats, message.seats);
      state.deltas += 1;
    }
    if (state.lsn !== null && message.lsn < state.lsn) fault(`back from ${state.lsn} to ${message.lsn}`);
    state.lsn = message.lsn;
    state.status = message.status ?? state.status;
  };
  const connect = () => {
    const mine = new WebSocketOf(address + (state.lsn === null ? '' : `?from=${state.lsn}`));
    socket = mine;
    // a message that was on its way when the connection was given up is not ours any more
    mine.onmessage = (event) => { if (socket === mine) take(JSON.parse(event.data)); };
    mine.onerror = () => {};
    mine.onclose = () => { if (!stopped && socket === mine) setTimeout(connect, 20); };
    if (state.reconnects < reconnectsWanted) {
      setTimeout(() => {
        if (stopped || socket !== mine) return;
        state.reconnects += 1;
        socket = null;
        if (mine.terminate) mine.terminate(); else mine.close();  // ws: without a Close, as a train that enters a tunnel
        connect();
      }, 30 + Math.random() * 120);
    }
  };
  connect();
  return { state, stop: () => { stopped = true; socket?.close(); } };
}

/** `usher relay` before the server. */
async function startRelay(upstream) {
  const child = spawn(program, ['relay', '--upstream', upstream, '--listen', '127.0.0.1:0', '--set', 'feed.allowed_origins=*'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = await new Promise((done, fail) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const found = /listening on (http:\/\/[\d.]+:\d+)/.exec(line);
      if (found) done(found[1]);
    });
    child.on('exit', (code) => fail(new Error(`the relay ended with ${code}`)));
  });
  child.removeAllListeners('exit');
  return { url, stop: () => new Promise((done) => { child.once('exit', done); child.kill('SIGTERM'); }) };
}

/** Reserves and gives back at random until `done()`. Returns: how many changes the server has confirmed. */
async function buy(url, show, seats, name, done) {
  const held = [];
  let made = 0;
  for (let turn = 0; !done(made); turn += 1) {
    const token = tokenOf('customer', `${name}-${turn}`);
    const wanted = [...new Set(Array.from({ length: 1 + turn % 3 }, () => seats[Math.floor(Math.random() * seats.length)]))];
    const { status, body } = await ask(url, 'POST', `/shows/${show}/reserve`, { token, body: { seat_ids: wanted } });
    if (status === 201) {
      made += 1;
      held.push([body.reservation_id, token]);
    }
    if (held.length > 8 || (held.length && status === 409)) {
      const [id, owner] = held.splice(Math.floor(Math.random() * held.length), 1)[0];
      if ((await ask(url, 'DELETE', `/reservations/${id}`, { token: owner })).status === 204) made += 1;
    }
  }
  return made;
}

/** The page's readers, seen from here. */
async function openPage(browser, url, addresses) {
  const page = await browser.newPage();
  await page.goto(`${url}/healthz`);
  await page.evaluate(([text, all, wanted]) => {
    const start = new Function(`return ${text}`)();
    window.readers = all.map((address) => start(WebSocket, address, wanted));
  }, [follow.toString(), addresses, reconnects]);
  return { states: () => page.evaluate(() => window.readers.map((reader) => reader.state)), stop: () => page.close() };
}

async function main(browser) {
  const server = await startServer({ 'policy.cooldown_after_refusals': 0, 'policy.orphan_rule': 'off' });
  const relay = await startRelay(server.url);
  const { show } = await someShow(server.url);
  const seats = (await ask(server.url, 'GET', `/shows/${show}/seats`)).body.seats.map((seat) => seat.seat_id);
  const addresses = [server.url, relay.url].map((url) => `${url.replace('http', 'ws')}/shows/${show}/live`);
  const ours = addresses.map((address) => follow(WebSocket, address, reconnects));
  const page = await openPage(browser, server.url, addresses);
  const states = async () => [...ours.map((reader) => reader.state), ...(await page.states())];
  const names = ['ws at the server', 'ws at a relay', 'Chromium at the server', 'Chromium at a relay'];

  let thrownOff = false;
  const watching = (async () => {
    const deadline = Date.now() + 900_000;
    while (!thrownOff && Date.now() < deadline) {
      await sleep(200);
      thrownOff = (await states()).every((state) => state.reconnects >= reconnects);
    }
    thrownOff = true;
  })();
  const share = changes / 4;
  const made = await Promise.all([0, 1, 2, 3].map((n) => buy(server.url, show, seats, `follow-${n}`, (count) => count >= share && thrownOff)));
  await watching;
  const total = made.reduce((sum, each) => sum + each, 0);
  check(total >= changes, `${total} changes were made`);
  // the last one is one that stays, so that the newest LSN is one that is told
  const free = (await ask(server.url, 'GET', `/shows/${show}/seats`)).body.seats.find((seat) => seat.status === 'available');
  const last = await ask(server.url, 'POST', `/shows/${show}/reserve`, { token: tokenOf('customer', 'last'), body: { seat_ids: [free.seat_id] } });
  check(last.status === 201, `the last change: ${last.status}`);
  const map = (await ask(server.url, 'GET', `/shows/${show}/seats`)).body;
  const expected = JSON.stringify(map.seats.map((seat) => [seat.seat_id, seat.status]));
  const deadline = Date.now() + 20_000;
  let all = await states();
  while (all.some((state) => state.lsn !== map.lsn) && Date.now() < deadline) {
    await sleep(50);
    all = await states();
  }
  all.forEach((state, index) => {
    const what = names[index];
    check(state.faults.length === 0, `${what}: every message fits: ${state.faults}`);
    check(state.lsn === map.lsn, `${what}: at LSN ${state.lsn}, the server at ${map.lsn}`);
    check(JSON.stringify(map.seats.map((seat) => [seat.seat_id, state.seats[seat.seat_id]])) === expected, `${what}: the map equals the server's`);
    check(Object.keys(state.seats).length === seats.length && state.status === 'scheduled', `${what}: and has nothing else`);
    check(state.reconnects >= reconnects && state.deltas > reconnects, `${what}: ${state.reconnects} reconnects, ${state.deltas} deltas, ${state.snapshots} snapshots`);
    console.log(`${what}: ${state.reconnects} reconnects, ${state.deltas} deltas, ${state.snapshots} snapshots, at LSN ${state.lsn}`);
  });
  for (const reader of ours) reader.stop();
  await page.stop();
  check((await relay.stop()) === 0, 'the relay ends well');
  check((await server.stop()) === 0, 'the server ends well');
  console.log(`${total} changes`);
}

let browser;
try {
  if (!chromiumPath) throw new Error('no Chromium here (apt-get install chromium)');
  browser = await startBrowser();
} catch (error) {
  console.log(`SKIPPED: ${String(error).split('\n')[0]}`);
  process.exit(77);
}
try {
  await main(browser);
} catch (error) {
  check(false, String(error.stack ?? error));
} finally {
  await browser.close();
}
const { passed, failed } = result();
console.log(`${passed} checks passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
