// The shop: which page stands at which address.

import './styles.css';
import type { JSX } from 'preact';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { t, useLanguage } from './lib/i18n';
import { followLinks, usePlace } from './lib/router';
import { BookingPage, Bookings } from './pages/bookings';
import { Checkout } from './pages/checkout';
import { Film } from './pages/film';
import { Home } from './pages/home';
import { ShowSeats } from './pages/show';
import { Waiting } from './pages/waiting';
import { applyTheme, Shell, themeOf } from './ui/shell';
import { Problem } from './lib/api';
import { Failure } from './ui/parts';

const safe = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

function Page({ path }: { path: string }): JSX.Element {
  const [room, id, third] = path.split('/').slice(1).map(safe);
  if (path === '/') return <Home />;
  if (room === 'film' && id) return <Film key={id} id={id} />;
  if (room === 'show' && id) return <ShowSeats key={id} id={id} />;
  if (room === 'checkout' && id) return <Checkout key={id} id={id} />;
  if (room === 'wait' && id) return <Waiting key={id} id={id} />;
  if (room === 'my' && id === 'bookings') return third ? <BookingPage key={third} id={third} /> : <Bookings />;
  return <Failure error={new Problem(404, 'not_found', t('not_found_text'))} />;
}

function App(): JSX.Element {
  const { path } = usePlace();
  useLanguage();
  useEffect(() => {
    document.addEventListener('click', followLinks);
    return () => document.removeEventListener('click', followLinks);
  }, []);
  return <Shell><Page path={path} /></Shell>;
}

applyTheme(themeOf());
render(<App />, document.getElementById('root') as HTMLElement);
