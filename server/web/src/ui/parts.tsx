// Small parts that all pages share.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../lib/api';
import { explain, t } from '../lib/i18n';

const paths: Record<string, string> = {
  search: 'M11 4a7 7 0 1 0 4.2 12.6l4.1 4.1 1.4-1.4-4.1-4.1A7 7 0 0 0 11 4Zm0 2a5 5 0 1 1 0 10 5 5 0 0 1 0-10Z',
  pin: 'M12 2a7 7 0 0 0-7 7c0 5 7 13 7 13s7-8 7-13a7 7 0 0 0-7-7Zm0 4.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Z',
  close: 'm6.4 5 5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4Z',
  plus: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6Z',
  minus: 'M5 11h14v2H5Z',
  fit: 'M4 9V4h5v2H6v3Zm11-5h5v5h-2V6h-3ZM4 15h2v3h3v2H4Zm14 0h2v5h-5v-2h3Z',
  spark: 'm12 2 2.2 6.6L21 11l-6.8 2.4L12 20l-2.2-6.6L3 11l6.8-2.4Z',
  ticket: 'M3 6h18v4a2 2 0 0 0 0 4v4H3v-4a2 2 0 0 0 0-4Zm11 2v2h2V8Zm0 3v2h2v-2Zm0 3v2h2v-2Z',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 2a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm-1 2v5.4l4 2.4 1-1.7-3-1.8V7Z',
  calendar: 'M7 3v2H4v16h16V5h-3V3h-2v2H9V3Zm-1 7h12v9H6Z',
  back: 'm11 5 1.4 1.4L7.8 11H20v2H7.8l4.6 4.6L11 19l-7-7Z',
  check: 'm9.5 17.5-5-5L6 11l3.5 3.5L18 6l1.5 1.5Z',
  warn: 'M12 3 2 20h20Zm-1 7h2v5h-2Zm0 6h2v2h-2Z',
  people: 'M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Zm0 9c-4 0-7 2-7 5v1h14v-1c0-3-3-5-7-5Zm7.500-8a3 3 0 1 1-.5 5.960A5 5 0 0 0 15 6.020Zm1.500 8c2.500.5 4 2.300 4 5v1h-4v-1c0-2-.6-3.700-2-5Z',
  sun: 'M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10ZM11 1h2v4h-2Zm0 18h2v4h-2ZM1 11h4v2H1Zm18 0h4v2h-4Z',
};
export const Icon = ({ name }: { name: keyof typeof paths }): JSX.Element => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d={paths[name]} fill="currentColor" /></svg>
);

export const Logo = (): JSX.Element => (
  <svg class="logo-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="9" class="logo-ground" />
    <path d="M9 8v9a7 7 0 0 0 14 0V8" fill="none" stroke="#fff6e5" stroke-width="4" stroke-linecap="round" />
    <circle cx="16" cy="9" r="2.2" fill="#f4c152" />
  </svg>
);

export const Loading = (): JSX.Element => (
  <div class="loading" role="status"><span class="loading-dots" aria-hidden="true"><i /><i /><i /></span><span class="sr">{t('loading')}</span></div>
);

export function Notice({ kind, children }: { kind: 'error' | 'info' | 'good'; children: ComponentChildren }): JSX.Element {
  return <div class={`notice notice-${kind}`} role={kind === 'error' ? 'alert' : 'status'}><Icon name={kind === 'good' ? 'check' : 'warn'} /><div>{children}</div></div>;
}

export function Failure({ error, again }: { error: unknown; again?: () => void }): JSX.Element {
  const problem = error instanceof Problem ? error : new Problem(0, 'unknown', '');
  const missing = problem.status === 404;
  return (
    <div class="failure">
      <h1>{missing ? t('not_found') : explain(problem.code, problem.detail)}</h1>
      <p>{missing ? explain(problem.code, t('not_found_text')) : ''}</p>
      {again && !missing ? <button class="button" onClick={again}>{t('retry')}</button> : <a class="button" href="/">{t('browse_films')}</a>}
    </div>
  );
}

export interface Loaded<T> { value: T | null; error: unknown; reload: () => void }
/** Loads what `key` stands for; a new key drops what an older one still brings. */
export function useLoad<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, set] = useState<{ key: string | null; value: T | null; error: unknown }>({ key: null, value: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    load(abort.signal).then(
      (value) => set({ key, value, error: null }),
      (error) => abort.signal.aborted || set({ key, value: null, error }),
    );
    return () => abort.abort();
  }, [key, turn]);
  return { value: state.key === key ? state.value : null, error: state.key === key ? state.error : null, reload: () => setTurn(turn + 1) };
}

/** Sets the window's title, and tells screen readers about the new page by moving to its heading. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Usher` : 'Usher';
  }, [title]);
}
export function PageTitle({ children, focus }: { children: ComponentChildren; focus?: unknown }): JSX.Element {
  const ref = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current || history.state !== null || document.activeElement === document.body) ref.current?.focus({ preventScroll: true });
    first.current = false;
  }, [focus]);
  return <h1 ref={ref} tabIndex={-1}>{children}</h1>;
}

export function Stepper({ value, min, max, change, label }: { value: number; min: number; max: number; change: (value: number) => void; label: string }): JSX.Element {
  return (
    <div class="stepper" role="group" aria-label={label}>
      <button type="button" aria-label={t('fewer')} disabled={value <= min} onClick={() => change(value - 1)}><Icon name="minus" /></button>
      <output aria-live="polite">{value}</output>
      <button type="button" aria-label={t('more_seats')} disabled={value >= max} onClick={() => change(value + 1)}><Icon name="plus" /></button>
    </div>
  );
}
