// What the gate's device keeps: the keys, the tickets that were cancelled, and every scan until the server has it. Survives a
// reload and a dead network.

import type { Jwk } from './verify';

export interface Scan { ticket: string; scanned_at: string; nonce: string; direction: 'in'; verdict: string; seat: string; id: string; sent: boolean }
interface State { keys: Jwk[]; scans: Scan[]; gate: string; device: string; revoked: string[]; cursor: string; synced: number }

const name = 'usher.gate';
const kept_max = 5000;
const fresh = (): State => ({ keys: [], scans: [], gate: '', device: `device-${Math.floor(Math.random() * 1e9)}`, revoked: [], cursor: '', synced: 0 });
const load = (): State => {
  try {
    return { ...fresh(), ...(JSON.parse(localStorage.getItem(name) ?? '{}') as Partial<State>) };
  } catch {
    return fresh(); // begun anew
  }
};
export const state: State = load();
export function save(): void {
  if (state.scans.length > kept_max) state.scans = state.scans.filter((scan) => !scan.sent).concat(state.scans.filter((scan) => scan.sent).slice(-1000));
  try {
    localStorage.setItem(name, JSON.stringify(state));
  } catch { /* a full store: what is in memory is still sent */ }
}
