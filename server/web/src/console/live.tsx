// The running sale: what arrives, what is decided, how long it takes, and how the log is. Rates are taken between two
// looks at /metrics; nothing is estimated.

import type { JSX } from 'preact';
import { number } from '../lib/format';
import { type Look, type Metrics, quantile, sum, useMetrics } from './common';

const period_ms = 1000;
const kept = 120;

const rate = (looks: Look[], at: number, of: (metrics: Metrics) => number): number | null => {
  const now = looks[at];
  const before = looks[at - 1];
  return now && before ? Math.max(0, ((of(now.metrics) - of(before.metrics)) * 1000) / (now.at - before.at)) : null;
};

function Spark({ values }: { values: (number | null)[] }): JSX.Element {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const points = values.map((value, i) => `${((i * 100) / Math.max(kept - 1, 1) + (100 * (kept - values.length)) / kept).toFixed(1)},${(29 - (27 * (value ?? 0)) / most).toFixed(1)}`);
  return <svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true"><polyline points={points.join(' ')} /></svg>;
}

function Rate({ name, looks, of }: { name: string; looks: Look[]; of: (metrics: Metrics) => number }): JSX.Element {
  const values = looks.map((_, i) => rate(looks, i, of)).slice(1);
  const last = values[values.length - 1] ?? null;
  return (
    <div class="tile">
      <h2>{name}</h2>
      <p class="tile-value"><b>{last === null ? '–' : number(last)}</b> per s</p>
      <Spark values={values} />
      <p class="tile-sum">{number(of(looks[looks.length - 1]?.metrics ?? new Map()))} since the start</p>
    </div>
  );
}

const milliseconds = (seconds: number | null): string => (seconds === null ? '–' : `${number(seconds * 1000, seconds < 0.01 ? 2 : 1)} ms`);
const bytes = (value: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${number(value, at ? 1 : 0)} ${units[at]}`;
};

export function LivePage(): JSX.Element {
  const { looks, error } = useMetrics(period_ms, kept);
  const now = looks[looks.length - 1]?.metrics ?? null;
  const before = looks[Math.max(0, looks.length - 11)]?.metrics ?? null;
  if (error && !now) return <p class="notice notice-error" role="alert">/metrics: {error.code} {error.detail}</p>;
  if (!now) return <p role="status">Reading…</p>;
  const duration = looks.length > 1 && quantile(before, now, 'usher_reserve_duration_seconds', 0.5) !== null
    ? { base: before, text: 'in the last 10 s' } : { base: null, text: 'since the start' };
  const refusals = (now.get('usher_refusals_total') ?? []).filter((sample) => sample.value > 0).sort((a, b) => b.value - a.value);
  const facts: [string, string][] = [
    ['Syncs of the log', `${number(rate(looks, looks.length - 1, (m) => sum(m, 'usher_log_syncs_total')) ?? 0)} per s`],
    ['Mean sync', milliseconds(sum(now, 'usher_log_sync_seconds_total') / Math.max(sum(now, 'usher_log_syncs_total'), 1))],
    ['Records written', number(sum(now, 'usher_log_records_total'))],
    ['Bytes written', bytes(sum(now, 'usher_log_bytes_total'))],
    ['Gathered, unsealed', bytes(sum(now, 'usher_log_gathered_bytes'))],
    ['Answers that wait for the log', number(sum(now, 'usher_outbox_replies'))],
    ['Segments begun, dropped', `${number(sum(now, 'usher_log_segment_rotations_total'))}, ${number(sum(now, 'usher_log_segments_dropped_total'))}`],
    ['Free disk', bytes(sum(now, 'usher_disk_free_bytes'))],
    ['Start of this directory', `number ${number(sum(now, 'usher_log_epoch'))}, recovered in ${number(sum(now, 'usher_recovery_seconds'), 2)} s`],
    ['Payments in flight', number(sum(now, 'usher_gateway_in_flight'))],
    ['Payments captured, declined, unknown', [sum(now, 'usher_gateway_payments_total', { result: 'captured' }), sum(now, 'usher_gateway_payments_total', { result: 'declined' }), sum(now, 'usher_payments_unknown_total')].map((n) => number(n)).join(', ')],
    ['Connections, requests in flight', `${number(sum(now, 'usher_http_connections'))}, ${number(sum(now, 'usher_http_requests_in_flight'))}`],
    ['Work pool: running, queued', `${number(sum(now, 'usher_work_jobs', { state: 'running' }))}, ${number(sum(now, 'usher_work_jobs', { state: 'queued' }))}`],
    ['Memory, descriptors', `${bytes(sum(now, 'process_resident_memory_bytes'))}, ${number(sum(now, 'process_open_fds'))}`],
  ];
  return (
    <>
      <h1>The running sale</h1>
      {error && <p class="notice notice-error" role="alert">No answer from /metrics just now: {error.code}</p>}
      {sum(now, 'usher_log_has_space') === 0 && <p class="notice notice-error" role="alert">Disk space is short: new reservations are refused.</p>}
      <div class="tiles">
        <Rate name="Requests" looks={looks} of={(m) => sum(m, 'usher_http_requests_total')} />
        <Rate name="Reservations" looks={looks} of={(m) => sum(m, 'usher_reservations_total')} />
        <Rate name="Bookings" looks={looks} of={(m) => sum(m, 'usher_bookings_total')} />
        <Rate name="Refusals" looks={looks} of={(m) => sum(m, 'usher_refusals_total')} />
        <Rate name="Expired" looks={looks} of={(m) => sum(m, 'usher_expiries_total')} />
        <Rate name="Cancellations" looks={looks} of={(m) => sum(m, 'usher_cancellations_total')} />
      </div>
      <div class="columns">
        <section class="panel">
          <h2>What a buyer waits for a reservation</h2>
          <p class="hint">From reading the request to the answer, the sync of the log included, {duration.text}.</p>
          <dl class="percentiles">
            {[['half', 0.5], ['95 of 100', 0.95], ['99 of 100', 0.99], ['999 of 1000', 0.999]].map(([name, q]) => (
              <div key={name}><dt>{name}</dt><dd>{milliseconds(quantile(duration.base, now, 'usher_reserve_duration_seconds', q as number))}</dd></div>
            ))}
          </dl>
          <h2>Refusals by reason</h2>
          {refusals.length === 0 ? <p class="hint">None so far.</p> : (
            <table class="grid"><thead><tr><th scope="col">code</th><th scope="col">since the start</th></tr></thead>
              <tbody>{refusals.map((sample) => <tr key={sample.labels.code}><td><code>{sample.labels.code}</code></td><td>{number(sample.value)}</td></tr>)}</tbody></table>
          )}
        </section>
        <section class="panel">
          <h2>Log, disk, payments</h2>
          <table class="grid"><tbody>{facts.map(([name, value]) => <tr key={name}><th scope="row">{name}</th><td>{value}</td></tr>)}</tbody></table>
        </section>
      </div>
    </>
  );
}
