// Search with suggestions: a combobox as the ARIA practices describe it (list autocomplete, manual selection).

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, part, type Suggestion } from '../lib/api';
import { t, tn } from '../lib/i18n';
import { go, usePlace } from '../lib/router';
import { Icon } from './parts';
import { Poster } from './poster';

const pause_ms = 90;

export function SearchBox(): JSX.Element {
  const { query } = usePlace();
  const [text, setText] = useState(query.get('q') ?? '');
  const [found, setFound] = useState<Suggestion[]>([]);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const box = useRef<HTMLFormElement>(null);
  const typed = useRef(false);

  useEffect(() => setText(query.get('q') ?? ''), [query.get('q')]);
  useEffect(() => {
    if (!typed.current) return;
    const words = text.trim();
    if (!words) {
      setFound([]);
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      get<{ suggestions: Suggestion[] }>(`/movies/suggest?q=${part(words.slice(0, 60))}`, abort.signal).then(
        (answer) => { setFound(answer.suggestions); setAt(-1); setOpen(true); },
        () => undefined,
      );
    }, pause_ms);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [text]);

  const choose = (film: Suggestion): void => {
    typed.current = false;
    setOpen(false);
    setText(film.title);
    go(`/film/${part(film.movie_id)}`);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    typed.current = false;
    setOpen(false);
    if (at >= 0 && found[at]) choose(found[at]);
    else go(text.trim() ? `/?q=${part(text.trim().slice(0, 60))}` : '/');
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') setOpen(false);
    if (!found.length) return;
    if (event.key === 'ArrowDown') { event.preventDefault(); setOpen(true); setAt((at + 1) % found.length); }
    if (event.key === 'ArrowUp') { event.preventDefault(); setOpen(true); setAt(at <= 0 ? found.length - 1 : at - 1); }
  };
  const shown = open && found.length > 0;
  return (
    <form ref={box} class="search" role="search" onSubmit={submit} onFocusOut={(event) => { if (!box.current?.contains(event.relatedTarget as Node)) setOpen(false); }}>
      <Icon name="search" />
      <input type="search" name="q" autocomplete="off" spellcheck={false} maxLength={60} role="combobox" aria-expanded={shown} aria-controls="suggestions"
        aria-autocomplete="list" aria-activedescendant={shown && at >= 0 ? `suggestion-${at}` : undefined} aria-label={t('search')} placeholder={t('search_hint')}
        value={text} onInput={(event) => { typed.current = true; setText(event.currentTarget.value); }} onFocus={() => setOpen(true)} onKeyDown={onKey} />
      <ul id="suggestions" class="suggestions" role="listbox" aria-label={t('search')} hidden={!shown}>
        {found.map((film, i) => (
          <li key={film.movie_id} id={`suggestion-${i}`} role="option" aria-selected={i === at} onMouseDown={(event) => event.preventDefault()} onClick={() => choose(film)}>
            <span class="suggestion-art"><Poster film={film} bare /></span>
            <span class="suggestion-title"><bdi>{film.title}</bdi></span>
            <span class="suggestion-facts">{[film.genre, film.release_date?.slice(0, 4)].filter(Boolean).join(' · ')}</span>
          </li>
        ))}
      </ul>
      <span class="sr" role="status">{shown ? tn('suggestions', found.length) : ''}</span>
    </form>
  );
}
