// The page in the visitor's language: English, German, French. A text that a language lacks is a type error.

import { useEffect, useState } from 'preact/hooks';
import { de } from './text-de';
import { en } from './text-en';
import { fr } from './text-fr';

export type Texts = Record<keyof typeof en, string>;
const languages: Record<string, Texts> = { en, de, fr };
export const languageNames: Record<string, string> = { en: 'English', de: 'Deutsch', fr: 'Français' };

function choose(): string {
  let wanted: readonly string[] = navigator.languages ?? [navigator.language];
  try {
    const stored = localStorage.getItem('usher.language');
    if (stored) wanted = [stored, ...wanted];
  } catch { /* no storage: the browser's wish counts */ }
  for (const tag of wanted) if (languages[tag.slice(0, 2)]) return tag;
  return 'en';
}

let tag = choose();
const listeners = new Set<() => void>();
const apply = (): void => {
  document.documentElement.lang = tag.slice(0, 2);
};
apply();

/** The full tag, such as de-AT: numbers and dates follow it. */
export const locale = (): string => tag;
export const language = (): string => tag.slice(0, 2);

export function setLanguage(name: string): void {
  try {
    localStorage.setItem('usher.language', name);
  } catch { /* for this page only, then */ }
  tag = navigator.languages?.find((wanted) => wanted.startsWith(name)) ?? name;
  apply();
  listeners.forEach((tell) => tell());
}
export function useLanguage(): string {
  const [value, set] = useState(tag);
  useEffect(() => {
    const tell = (): void => set(tag);
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, []);
  return value.slice(0, 2);
}

type Values = Record<string, string | number>;
const fill = (text: string, values?: Values): string =>
  values ? text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole)) : text;

export const t = (key: keyof typeof en, values?: Values): string => fill(languages[language()][key], values);

/** For counts: the texts are `one|other`. */
export function tn(key: keyof typeof en, count: number, values?: Values): string {
  const [one, other] = languages[language()][key].split('|');
  const rule = new Intl.PluralRules(locale()).select(count);
  return fill(rule === 'one' ? one : (other ?? one), { n: count, ...values });
}

/** What a problem means for a person; the server's own words where this page knows none. */
export function explain(code: string, detail: string): string {
  const texts = languages[language()] as Record<string, string>;
  return texts[`problem_${code}`] ?? (detail || t('problem_unknown'));
}
