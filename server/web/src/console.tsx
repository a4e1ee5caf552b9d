// The operators' console, for role admin. In English only: it is for the people who run the house.

import './console.css';
import type { JSX } from 'preact';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { raw, setToken } from './lib/api';
import { followLinks, usePlace } from './lib/router';
import { SignIn, token } from './console/common';
import { CatalogPage } from './console/catalog';
import { LivePage } from './console/live';
import { RoomsPage } from './console/rooms';
import { ShowsPage } from './console/shows';
import { TimePage } from './console/time';
import { Logo } from './ui/parts';
import { applyTheme, ThemePicker, themeOf } from './ui/shell';

const rooms: [string, string][] = [['/console', 'Live'], ['/console/shows', 'Shows'], ['/console/rooms', 'Waiting rooms'], ['/console/time', 'Time machine'], ['/console/catalog', 'Catalog']];

function Console(): JSX.Element {
  const { path } = usePlace();
  const [state, setState] = useState<'unknown' | 'in' | 'out'>(token.get() ? 'unknown' : 'out');
  const [why, setWhy] = useState('');
  useEffect(() => {
    document.addEventListener('click', followLinks);
    return () => document.removeEventListener('click', followLinks);
  }, []);
  const enter = async (): Promise<void> => {
    setToken(token.get());
    try {
      const response = await raw('GET', '/metrics', { headers: { Accept: 'text/plain' } });
      if (!response.ok) setWhy(response.status === 403 ? 'That token is not one of role admin or staff.' : 'That token is not valid here, or no longer.');
      setState(response.ok ? 'in' : 'out');
    } catch {
      setWhy('No connection to the server.');
      setState('out');
    }
  };
  useEffect(() => void (state === 'unknown' && enter()), [state]);
  useEffect(() => void (document.title = 'Usher console'), []);
  const [, , room, id] = path.split('/').map((text) => { try { return decodeURIComponent(text); } catch { return text; } });
  return (
    <div class="console">
      <header class="console-top">
        <a class="logo" href="/console"><Logo /><span>Usher console</span></a>
        {state === 'in' && (
          <nav aria-label="Console">{rooms.map(([address, name]) => <a key={address} href={address} aria-current={(address === '/console' ? path === address : path.startsWith(address)) ? 'page' : undefined}>{name}</a>)}
            <button class="chip" onClick={() => { token.set(''); setState('out'); setWhy(''); }}>Sign out</button></nav>
        )}
      </header>
      <main id="main">
        {state === 'unknown' && <p role="status">Signing in…</p>}
        {state === 'out' && <SignIn role="admin" why={why} done={() => void enter()} />}
        {state === 'in' && (room === 'shows' ? <ShowsPage id={id ?? ''} /> : room === 'rooms' ? <RoomsPage /> : room === 'time' ? <TimePage id={id ?? ''} /> : room === 'catalog' ? <CatalogPage /> : <LivePage />)}
      </main>
      <footer class="console-bottom"><a href="/" data-plain>Shop</a><a href="/docs" data-plain>API</a><a href="/gate" data-plain>Gate</a><ThemePicker /></footer>
    </div>
  );
}

applyTheme(themeOf());
render(<Console />, document.getElementById('root') as HTMLElement);
