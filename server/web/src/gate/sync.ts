// What a gate and the server tell each other when there is a network: keys and cancelled tickets this way, scans that way.

import { get, part, post, Problem } from '../lib/api';
import { type Scan, save, state } from './store';
import { type Jwk, verifyText } from './verify';

interface Revocations { from: string; next_cursor: string; more: boolean; tickets: string[]; kid: string; signature: string }
interface Result { result: string }
const batch = 100;

export const bodyOf = (scan: Scan): Record<string, string> => ({ ticket: scan.ticket, gate: state.gate, device: state.device, scanned_at: scan.scanned_at, direction: scan.direction, nonce: scan.nonce });

/** Fetches the keys, and what was cancelled since the last time. A list whose signature is not by one of the keys is not kept. */
export async function learn(): Promise<void> {
  state.keys = (await get<{ keys: Jwk[] }>('/.well-known/usher-keys.json')).keys;
  for (let more = true; more;) {
    const list = await get<Revocations>(`/revocations${state.cursor ? `?from=${part(state.cursor)}` : ''}`);
    const text = ['usher-revocations', list.from, list.next_cursor, ...list.tickets].map((line) => `${line}\n`).join('');
    if (!(await verifyText(state.keys, list.kid, text, list.signature))) return save();
    state.revoked = [...new Set([...state.revoked, ...list.tickets])];
    state.cursor = list.next_cursor;
    more = list.more;
  }
  state.synced = Date.now();
  save();
}

/** Sends the scans that the server does not have yet; their nonces make a second time harmless. Returns: what the server refused. */
export async function upload(): Promise<string> {
  for (;;) {
    const scans = state.scans.filter((scan) => !scan.sent).slice(0, batch);
    if (!scans.length) return '';
    try {
      const answer = await post<{ results: Result[] }>('/checkins', { checkins: scans.map(bodyOf) });
      scans.forEach((scan, at) => {
        scan.verdict = answer.results[at].result;
        scan.sent = true;
      });
      save();
    } catch (problem) {
      return problem instanceof Problem && problem.status >= 400 && problem.status < 500 ? problem.code : '';
    }
  }
}
