// One page, many addresses: links are real links, so that opening in a new tab, reloading and the back button all work.

import { useEffect, useState } from 'preact/hooks';

export interface Place { path: string; query: URLSearchParams }
const here = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });
const listeners = new Set<() => void>();

export function go(address: string, replace = false): void {
  const from = location.pathname;
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  listeners.forEach((tell) => tell());
  if (location.pathname !== from) scrollTo(0, 0);
}
addEventListener('popstate', () => listeners.forEach((tell) => tell()));

export function usePlace(): Place {
  const [place, set] = useState(here);
  useEffect(() => {
    const tell = (): void => set(here());
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, []);
  return place;
}

/** Takes over plain clicks on links within the shop. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.('a[href]');
  const href = link?.getAttribute('href');
  if (!link || !href?.startsWith('/') || link.hasAttribute('target') || link.hasAttribute('download') || link.hasAttribute('data-plain')) return;
  event.preventDefault();
  go(href);
}
