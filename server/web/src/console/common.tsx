// What the console's pages share: who is asking, and the metrics as numbers.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Problem, problemOf, raw, setToken } from '../lib/api';

const stored = 'usher.console.token';
export const token = {
  get(): string {
    try {
      return sessionStorage.getItem(stored) ?? '';
    } catch {
      return '';
    }
  },
  set(value: string): void {
    try {
      sessionStorage.setItem(stored, value);
    } catch { /* for this page only */ }
    setToken(value);
  },
};

/** Asks for a token of role admin. It stays in this tab. */
export function SignIn({ why, role, done }: { why?: string; role: string; done: () => void }): JSX.Element {
  const [value, set] = useState('');
  return (
    <form class="sign-in" onSubmit={(event) => { event.preventDefault(); token.set(value.trim()); done(); }}>
      <h1>Sign in</h1>
      <p>A token of role {role} opens this page. It stays in this tab. On the server's machine make one with:</p>
      <pre tabIndex={0} aria-label="the command"><code>usher token --role {role} --user me --data DIR</code></pre>
      <label class="field"><span>Token</span><textarea class="input" rows={4} required spellcheck={false} autocomplete="off" value={value} onInput={(event) => set(event.currentTarget.value)} /></label>
      {why && <p class="notice notice-error" role="alert">{why}</p>}
      <button class="button primary">Open</button>
    </form>
  );
}

export interface Sample { labels: Record<string, string>; value: number }
export type Metrics = Map<string, Sample[]>;

/** Reads the Prometheus text format (version 0.0.4). Lines that are none of it are left out. */
export function parseMetrics(text: string): Metrics {
  const metrics: Metrics = new Map();
  for (const line of text.split('\n')) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!found || line.startsWith('#')) continue;
    const labels: Record<string, string> = {};
    for (const [, name, value] of (found[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value.replace(/\\(.)/g, '$1');
    const list = metrics.get(found[1]);
    const sample = { labels, value: Number(found[3].replace('+Inf', 'Infinity')) };
    if (list) list.push(sample);
    else metrics.set(found[1], [sample]);
  }
  return metrics;
}
export const sum = (metrics: Metrics | null, name: string, labels: Record<string, string> = {}): number =>
  (metrics?.get(name) ?? []).filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value)).reduce((total, sample) => total + sample.value, 0);

/** A quantile of what a histogram gained between two looks, in its unit; by linear interpolation within the bucket. */
export function quantile(before: Metrics | null, after: Metrics | null, name: string, q: number): number | null {
  const counts = new Map<number, number>();
  for (const [metrics, sign] of [[after, 1], [before, -1]] as const) {
    for (const sample of metrics?.get(`${name}_bucket`) ?? []) {
      const bound = sample.labels.le === '+Inf' ? Infinity : Number(sample.labels.le);
      counts.set(bound, (counts.get(bound) ?? 0) + sign * sample.value);
    }
  }
  const bounds = [...counts.keys()].sort((a, b) => a - b);
  const total = counts.get(Infinity) ?? 0;
  if (total <= 0) return null;
  let low = 0;
  let below = 0;
  for (const bound of bounds) {
    const upTo = counts.get(bound) ?? 0;
    if (upTo >= q * total) return bound === Infinity ? low : low + ((bound - low) * (q * total - below)) / Math.max(upTo - below, 1);
    low = bound;
    below = upTo;
  }
  return low;
}

export interface Look { at: number; metrics: Metrics }
/** The last looks at /metrics, newest last. */
export function useMetrics(period_ms: number, keep: number): { looks: Look[]; error: Problem | null } {
  const [looks, set] = useState<Look[]>([]);
  const [error, setError] = useState<Problem | null>(null);
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async (): Promise<void> => {
      try {
        const response = await raw('GET', '/metrics', { headers: { Accept: 'text/plain' } });
        if (!response.ok) throw await problemOf(response);
        const metrics = parseMetrics(await response.text());
        if (ended) return;
        setError(null);
        set((before) => [...before.slice(1 - keep), { at: performance.now(), metrics }]);
      } catch (problem) {
        if (!ended) setError(problem instanceof Problem ? problem : new Problem(0, 'offline', ''));
      }
      timer = setTimeout(() => void look(), period_ms);
    };
    void look();
    return () => { ended = true; clearTimeout(timer); };
  }, []);
  return { looks, error };
}
