// Stripe's own library judges the simulator: see ./run.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import http from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import Stripe from 'stripe';

let passed = 0;
let failed = 0;
function check(condition, what) {
  condition ? ++passed : ++failed;
  if (!condition) console.log(`FAILED: ${what}`);
}

/** The error that a call ends with, or nothing. */
const errorOf = (promise) => promise.then(() => undefined, (error) => error);

const folder = mkdtempSync(join(tmpdir(), 'usher-stripe.'));
const secret = 'whsec_of_the_test';
const hooks = [];
const receiver = http.createServer((request, response) => {
  let body = '';
  request.on('data', (part) => (body += part));
  request.on('end', () => {
    hooks.push({body, signature: request.headers['stripe-signature']});
    response.end('{}');
  });
});
receiver.listen(0, '127.0.0.1');
await once(receiver, 'listening');

async function start() {
  const child = spawn('/usr/bin/python3', [new URL('../../tools/gateway/stripe_sim', import.meta.url).pathname, '--ledger', join(folder, 'ledger'),
    '--webhook', `http://127.0.0.1:${receiver.address().port}/hook`, '--webhook-secret', secret, '--hang', '3'], {stdio: ['ignore', 'pipe', 'inherit']});
  const [line] = await once(createInterface(child.stdout), 'line');
  const port = Number(line.split(':').at(-1));
  return {child, port, stripe: new Stripe('sk_test_usher', {host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0, timeout: 2000})};
}

async function payments({stripe, port}) {
  const made = await stripe.paymentIntents.create({amount: 1500, currency: 'usd', payment_method_types: ['card'], metadata: {reservation_id: 'r1', attempt: '1'}},
    {idempotencyKey: 'k1'});
  check(made.object === 'payment_intent' && made.id.startsWith('pi_'), 'an intent is made');
  check(made.status === 'requires_payment_method' && made.amount === 1500 && made.metadata.attempt === '1', 'as it was asked for');
  const again = await stripe.paymentIntents.create({amount: 1500, currency: 'usd', payment_method_types: ['card'], metadata: {reservation_id: 'r1', attempt: '1'}},
    {idempotencyKey: 'k1'});
  check(again.id === made.id, 'the same key: the same intent');
  check(again.lastResponse.headers['idempotent-replayed'] === 'true', 'and it says so');
  const other = await errorOf(stripe.paymentIntents.create({amount: 1600, currency: 'usd'}, {idempotencyKey: 'k1'}));
  check(other instanceof Stripe.errors.StripeIdempotencyError, `the same key with another amount: ${other?.type}`);
  const paid = await stripe.paymentIntents.confirm(made.id, {payment_method: 'pm_card_visa'}, {idempotencyKey: 'k1-confirm'});
  check(paid.status === 'succeeded' && paid.amount_received === 1500 && paid.latest_charge.startsWith('ch_'), 'confirmed: paid');
  check((await stripe.paymentIntents.retrieve(made.id)).status === 'succeeded', 'retrieved: paid');
  const late = await errorOf(stripe.paymentIntents.cancel(made.id));
  check(late instanceof Stripe.errors.StripeInvalidRequestError && late.code === 'payment_intent_unexpected_state', 'what is paid is not cancelled');

  const poor = await stripe.paymentIntents.create({amount: 900, currency: 'eur'});
  const declined = await errorOf(stripe.paymentIntents.confirm(poor.id, {payment_method: 'pm_card_chargeDeclinedInsufficientFunds'}));
  check(declined instanceof Stripe.errors.StripeCardError, 'declined: a card error');
  check(declined?.statusCode === 402 && declined.code === 'card_declined' && declined.decline_code === 'insufficient_funds', 'with both codes');
  check(declined?.payment_intent?.last_payment_error?.decline_code === 'insufficient_funds', 'and the intent in it');
  check((await stripe.paymentIntents.cancel(poor.id, {cancellation_reason: 'abandoned'})).status === 'canceled', 'what is not paid is cancelled');

  const bank = await stripe.paymentIntents.create({amount: 1000, currency: 'usd'});
  const asked = await stripe.paymentIntents.confirm(bank.id, {payment_method: 'pm_card_threeDSecure2Required', return_url: 'https://shop.example/back'});
  check(asked.status === 'requires_action' && asked.next_action.type === 'redirect_to_url', '3-D Secure: the cardholder must act');
  const there = new URL(asked.next_action.redirect_to_url.url);
  check(Number(there.port) === port, 'at the bank');
  await (await fetch(there)).text();
  check((await stripe.paymentIntents.retrieve(bank.id)).status === 'succeeded', 'and then it is paid');
  const silent = await errorOf(stripe.paymentIntents.create({amount: 1000, currency: 'usd', confirm: true, payment_method: 'pm_card_threeDSecure2Required',
    error_on_requires_action: true}));
  check(silent instanceof Stripe.errors.StripeCardError, 'where nobody can act it is a decline');
  return paid;
}

async function refunds({stripe}, paid) {
  const part = await stripe.refunds.create({payment_intent: paid.id, amount: 500, metadata: {key: 'refund-1'}}, {idempotencyKey: 'refund-1'});
  check(part.object === 'refund' && part.status === 'succeeded' && part.amount === 500, 'a part is refunded');
  check((await stripe.refunds.retrieve(part.id)).metadata.key === 'refund-1', 'and found again');
  const more = await errorOf(stripe.refunds.create({payment_intent: paid.id, amount: 1001}));
  check(more instanceof Stripe.errors.StripeInvalidRequestError, 'no more than what is left');
  await stripe.refunds.create({payment_intent: paid.id});
  const none = await errorOf(stripe.refunds.create({payment_intent: paid.id}));
  check(none?.code === 'charge_already_refunded', `nothing is left: ${none?.code}`);
  const list = await stripe.refunds.list({payment_intent: paid.id});
  check(list.data.map((refund) => refund.amount).join() === '1000,500', 'listed, newest first');
}

async function lists({stripe}) {
  const ids = [];
  for (let n = 0; n < 7; ++n) ids.unshift((await stripe.paymentIntents.create({amount: 100 + n, currency: 'usd', metadata: {key: `list-${n}`}})).id);
  const walked = [];
  for await (const intent of stripe.paymentIntents.list({limit: 3})) walked.push(intent.id);
  check(walked.slice(0, 7).join() === ids.join() && new Set(walked).size === walked.length, 'pages join without a gap');
  const found = await stripe.paymentIntents.search({query: "metadata['key']:'list-3'"});
  check(found.data.length === 1 && found.data[0].id === ids[3], 'searched by metadata');
  const missing = await errorOf(stripe.paymentIntents.retrieve('pi_none'));
  check(missing?.statusCode === 404 && missing.code === 'resource_missing', 'no such intent');
  const stranger = new Stripe('sk_test_other', {host: '127.0.0.1', port: stripe.getApiField('port'), protocol: 'http', maxNetworkRetries: 0});
  check((await errorOf(stranger.paymentIntents.list())) instanceof Stripe.errors.StripeAuthenticationError, 'another key is refused');
}

async function faults({stripe, port}) {
  const set = (values) => fetch(`http://127.0.0.1:${port}/_faults`, {method: 'PUT', body: JSON.stringify(values)}).then((answer) => answer.json());
  await set({error: 1});
  const broken = await errorOf(stripe.paymentIntents.create({amount: 100, currency: 'usd'}, {idempotencyKey: 'broken'}));
  check(broken instanceof Stripe.errors.StripeAPIError && broken.statusCode === 500, 'an error of theirs');
  await set({error: 0, timeout_after_charge: 1});
  const intent = await stripe.paymentIntents.create({amount: 700, currency: 'usd'});
  const lost = await errorOf(stripe.paymentIntents.confirm(intent.id, {payment_method: 'pm_card_visa'}, {idempotencyKey: 'lost'}));
  check(lost instanceof Stripe.errors.StripeConnectionError, 'no answer in time');
  check((await stripe.paymentIntents.retrieve(intent.id)).status === 'succeeded', 'and yet it was charged');
  const said = await stripe.paymentIntents.confirm(intent.id, {payment_method: 'pm_card_visa'}, {idempotencyKey: 'lost'});
  check(said.status === 'succeeded', 'the same key says so');
  await set({timeout_after_charge: 0, duplicate_webhook: 1});
  await stripe.paymentIntents.create({amount: 800, currency: 'usd', confirm: true, payment_method: 'pm_card_visa'});
  for (let n = 0; n < 200 && hooks.filter((hook) => JSON.parse(hook.body).data.object.amount === 800).length < 4; ++n) await new Promise((next) => setTimeout(next, 20));
}

function webhooks({stripe}) {
  const events = hooks.map(({body, signature}) => stripe.webhooks.constructEvent(body, signature, secret));
  check(events.some((event) => event.type === 'payment_intent.succeeded' && event.data.object.metadata.reservation_id === 'r1'), 'a signed webhook tells of the payment');
  check(events.some((event) => event.type === 'payment_intent.payment_failed'), 'and of the decline');
  check(new Set(events.map((event) => event.id)).size < events.length, 'duplicates come when they are wanted');
  let refused = false;
  try {
    stripe.webhooks.constructEvent(hooks[0].body + ' ', hooks[0].signature, secret);
  } catch (error) {
    refused = error instanceof Stripe.errors.StripeSignatureVerificationError;
  }
  check(refused, 'a body that was changed does not fit');
}

let gateway = await start();
try {
  const paid = await payments(gateway);
  await refunds(gateway, paid);
  await lists(gateway);
  await faults(gateway);
  webhooks(gateway);
  gateway.child.kill('SIGKILL');
  await once(gateway.child, 'exit');
  gateway = await start();
  check((await gateway.stripe.paymentIntents.retrieve(paid.id)).status === 'succeeded', 'a kill -9 loses nothing');
  check((await gateway.stripe.refunds.list({payment_intent: paid.id})).data.length === 2, 'no refund either');
} finally {
  gateway.child.kill('SIGKILL');
  receiver.closeAllConnections?.();
  receiver.close();
  rmSync(folder, {recursive: true, force: true});
}
console.log(`${passed} checks passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
