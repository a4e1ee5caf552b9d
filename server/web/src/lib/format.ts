// Prices, times and dates as people read them: in the visitor's language, in the theater's zone.

import type { Money } from './api';
import { locale } from './i18n';

const cached = <T>(make: (key: string) => T): ((key: string) => T) => {
  const known = new Map<string, T>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = make(key)));
    return value;
  };
};

const moneyFormat = cached((key) => {
  const [language, currency] = key.split('|');
  return new Intl.NumberFormat(language, { style: 'currency', currency });
});
export function money(value: Money): string {
  const format = moneyFormat(`${locale()}|${value.currency}`);
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(value.amount / 10 ** digits);
}

const dateFormat = cached((key) => {
  const [language, zone, options] = key.split('|');
  return new Intl.DateTimeFormat(language, { timeZone: zone, ...JSON.parse(options) });
});
const formatIn = (instant: string | number | Date, zone: string, options: Intl.DateTimeFormatOptions): string =>
  dateFormat(`${locale()}|${zone}|${JSON.stringify(options)}`).format(new Date(instant));

export const time = (instant: string, zone: string): string => formatIn(instant, zone, { hour: '2-digit', minute: '2-digit' });
export const day = (instant: string, zone: string): string => formatIn(instant, zone, { weekday: 'long', day: 'numeric', month: 'long' });
export const shortDay = (instant: string, zone: string): string => formatIn(instant, zone, { weekday: 'short', day: 'numeric', month: 'short' });
export const dateTime = (instant: string, zone: string): string =>
  formatIn(instant, zone, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
export const clock = (instant: string | number, zone: string): string =>
  formatIn(instant, zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Does the visitor's own clock show another time than the theater's? Then the page says whose time it is. */
export function isElsewhere(zone: string): boolean {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (own === zone) return false;
  const now = new Date();
  return formatIn(now, zone, { hour: '2-digit', minute: '2-digit' }) !== formatIn(now, own, { hour: '2-digit', minute: '2-digit' });
}

/** The local date in a zone, as 2026-11-24. */
export function isoDate(instant: Date, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });
  return parts.format(instant);
}
export function nextDays(zone: string, count: number): string[] {
  const today = isoDate(new Date(), zone).split('-').map(Number);
  return Array.from({ length: count }, (_, i) => new Date(Date.UTC(today[0], today[1] - 1, today[2] + i)).toISOString().slice(0, 10));
}
export const dayName = (date: string, style: 'short' | 'long' = 'short'): string => formatIn(`${date}T12:00:00Z`, 'UTC', { weekday: style });
export const dayNumber = (date: string): string => formatIn(`${date}T12:00:00Z`, 'UTC', { day: 'numeric', month: 'short' });
export const longDate = (date: string): string => formatIn(`${date}T12:00:00Z`, 'UTC', { weekday: 'long', day: 'numeric', month: 'long' });

export function duration(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours} h ${String(minutes % 60).padStart(2, '0')}` : `${minutes} min`;
}
export function countdown(ms: number): string {
  const left = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
}
export const distance = (km: number): string =>
  new Intl.NumberFormat(locale(), { style: 'unit', unit: 'kilometer', maximumFractionDigits: 1 }).format(km);
export const number = (value: number, digits = 0): string =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
