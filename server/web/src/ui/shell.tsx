// What stands around every page of the shop: header with search, the banner of a running reservation, footer.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { countdown } from '../lib/format';
import { language, languageNames, setLanguage, t } from '../lib/i18n';
import { usePlace } from '../lib/router';
import { type Held, held } from '../lib/store';
import { Icon, Logo } from './parts';
import { SearchBox } from './search-box';

export const themes = ['auto', 'light', 'dark'] as const;
export const themeOf = (): string => {
  try {
    return localStorage.getItem('usher.theme') ?? 'auto';
  } catch {
    return 'auto';
  }
};
export function applyTheme(theme: string): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem('usher.theme', theme);
  } catch { /* for this page only */ }
}

export function ThemePicker(): JSX.Element {
  const [theme, set] = useState(themeOf());
  return (
    <label class="pick">
      <span>{t('theme')}</span>
      <select value={theme} onChange={(event) => { applyTheme(event.currentTarget.value); set(event.currentTarget.value); }}>
        <option value="auto">{t('theme_auto')}</option>
        <option value="light">{t('theme_light')}</option>
        <option value="dark">{t('theme_dark')}</option>
      </select>
    </label>
  );
}

function HeldBanner(): JSX.Element | null {
  const [value, set] = useState<Held | null>(held.get());
  const [, tick] = useState(0);
  const { path } = usePlace();
  useEffect(() => held.watch(() => set(held.get())), []);
  useEffect(() => {
    if (!value) return;
    const timer = setInterval(() => (held.get() ? tick((n) => n + 1) : set(null)), 1000);
    return () => clearInterval(timer);
  }, [value]);
  if (!value || path === `/checkout/${value.id}`) return null;
  return (
    <div class="held" role="region" aria-label={t('your_seats')}>
      <Icon name="clock" />
      <span>{t('held_banner', { time: countdown(value.expires - Date.now()) })}</span>
      <a class="button small" href={`/checkout/${value.id}`}>{t('held_continue')}</a>
    </div>
  );
}

export function Shell({ children }: { children: ComponentChildren }): JSX.Element {
  const { path } = usePlace();
  return (
    <div class="page">
      <a class="skip" href="#main" data-plain>{t('skip')}</a>
      <header class="top">
        <div class="top-inner">
          <a class="logo" href="/"><Logo /><span>Usher</span></a>
          <SearchBox />
          <nav class="top-nav" aria-label="Usher">
            <a href="/my/bookings" aria-current={path.startsWith('/my') ? 'page' : undefined}><Icon name="ticket" /><span>{t('my_bookings')}</span></a>
          </nav>
        </div>
      </header>
      <HeldBanner />
      <main id="main" tabIndex={-1}>{children}</main>
      <footer class="bottom">
        <div class="bottom-inner">
          <span class="bottom-mark">Usher</span>
          <label class="pick">
            <span>{t('language')}</span>
            <select value={language()} onChange={(event) => setLanguage(event.currentTarget.value)}>
              {Object.entries(languageNames).map(([tag, name]) => <option key={tag} value={tag} lang={tag}>{name}</option>)}
            </select>
          </label>
          <ThemePicker />
          <a href="/docs" data-plain>API</a>
        </div>
      </footer>
    </div>
  );
}
