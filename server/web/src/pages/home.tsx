// What is on in a city on a day, by genre, or what a search has found.

import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type City, get, type Movie, type MovieList, part, query as queryOf } from '../lib/api';
import { dayName, dayNumber, duration, longDate, nextDays } from '../lib/format';
import { t, tn } from '../lib/i18n';
import { go, usePlace } from '../lib/router';
import { city as remembered } from '../lib/store';
import { Failure, Icon, Loading, PageTitle, useLoad, useTitle } from '../ui/parts';
import { Poster } from '../ui/poster';

let cities: Promise<City[]> | null = null;
export const loadCities = (): Promise<City[]> => {
  cities ??= get<{ cities: City[] }>('/cities').then((answer) => answer.cities);
  cities.catch(() => (cities = null));
  return cities;
};

/** The city the visitor chose; else the first in their own time zone; else the one with most theaters. */
export function chooseCity(all: City[]): City | undefined {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const most = [...all].sort((a, b) => b.theaters - a.theaters);
  return all.find((city) => city.city_id === remembered.get()) ?? most.find((city) => city.time_zone === own) ?? most[0];
}

export function CityPicker({ all, value, change }: { all: City[]; value: City; change: (city: City) => void }): JSX.Element {
  return (
    <label class="city-pick">
      <Icon name="pin" /><span class="sr">{t('city')}</span>
      <select value={value.city_id} onChange={(event) => {
        const next = all.find((city) => city.city_id === event.currentTarget.value);
        if (!next) return;
        remembered.set(next.city_id);
        change(next);
      }}>
        {all.map((city) => <option key={city.city_id} value={city.city_id}>{city.name}</option>)}
      </select>
    </label>
  );
}

export function DayStrip({ zone, value, change }: { zone: string; value: string; change: (date: string) => void }): JSX.Element {
  const days = nextDays(zone, 7);
  return (
    <div class="days" role="group" aria-label={t('dates')}>
      {days.map((date, i) => (
        <button key={date} type="button" class="day" aria-pressed={date === value} onClick={() => change(date)}>
          <span>{i === 0 ? t('today') : i === 1 ? t('tomorrow') : dayName(date)}</span>
          <small>{dayNumber(date)}</small>
        </button>
      ))}
    </div>
  );
}

function FilmCard({ film, city, date }: { film: Movie; city: City; date: string }): JSX.Element {
  return (
    <li>
      <a class="film-card" href={`/film/${part(film.movie_id)}${queryOf({ city: city.city_id, date })}`}>
        <Poster film={film} />
        <span class="film-title"><bdi>{film.title}</bdi></span>
        <span class="film-facts">{[film.genre, duration(film.duration_minutes)].filter(Boolean).join(' · ')}</span>
      </a>
    </li>
  );
}

export function Home(): JSX.Element {
  const { query } = usePlace();
  const places = useLoad('cities', () => loadCities());
  const [city, setCity] = useState<City | undefined>();
  useEffect(() => {
    if (places.value && !city) setCity(chooseCity(places.value));
  }, [places.value]);
  if (places.error) return <Failure error={places.error} again={places.reload} />;
  if (!places.value) return <Loading />;
  if (!city) return places.value.length ? <Loading /> : <p class="empty">{t('nothing_on')}</p>;
  return <Listing key={city.city_id} city={city} cities={places.value} setCity={setCity} words={query.get('q')?.slice(0, 60) ?? ''} />;
}

function Listing({ city, cities: all, setCity, words }: { city: City; cities: City[]; setCity: (city: City) => void; words: string }): JSX.Element {
  const { query } = usePlace();
  const days = useMemo(() => nextDays(city.time_zone, 7), [city]);
  const asked = query.get('date');
  const date = asked && days.includes(asked) ? asked : days[0];
  const genre = query.get('genre') ?? '';
  const change = (fields: Record<string, string>): void =>
    go(`/${queryOf({ q: words, date: asked ?? '', genre, ...fields })}`, true);
  const address = `/movies${queryOf({ city_id: city.city_id, date, q: words, genre, limit: 60 })}`;
  const list = useLoad(address, (signal) => get<MovieList>(address, signal));
  const facetAddress = `/movies${queryOf({ city_id: city.city_id, date, q: words, limit: 1, facets: 'true' })}`;
  const facets = useLoad(facetAddress, (signal) => get<MovieList>(facetAddress, signal));
  const [more, setMore] = useState<{ from: string; films: Movie[]; cursor: string | null } | null>(null);
  const heading = words ? t('results_for', { q: words }) : date === days[0] ? t('on_today', { city: city.name }) : t('on_date', { city: city.name, date: longDate(date) });
  useTitle(heading);
  const extra = more?.from === address ? more : null;
  const films = [...(list.value?.movies ?? []), ...(extra?.films ?? [])];
  const cursor = extra ? extra.cursor : list.value?.next_cursor ?? null;
  const loadMore = async (): Promise<void> => {
    const next = await get<MovieList>(`${address}&cursor=${part(cursor ?? '')}`);
    setMore({ from: address, films: [...(extra?.films ?? []), ...next.movies], cursor: next.next_cursor });
  };
  const genres = facets.value?.facets?.genre ?? [];
  return (
    <div class="wrap">
      <div class="home-head">
        <PageTitle>{heading}</PageTitle>
        <CityPicker all={all} value={city} change={setCity} />
      </div>
      <DayStrip zone={city.time_zone} value={date} change={(next) => change({ date: next })} />
      {genres.length > 1 && (
        <div class="chips" role="group" aria-label={t('genres')}>
          <button type="button" class="chip" aria-pressed={genre === ''} onClick={() => change({ genre: '' })}>{t('all_genres')}</button>
          {genres.map((facet) => (
            <button key={facet.value} type="button" class="chip" aria-pressed={genre === facet.value} onClick={() => change({ genre: genre === facet.value ? '' : facet.value })}>
              {facet.value}<small>{facet.count}</small>
            </button>
          ))}
        </div>
      )}
      {list.value?.corrected && words && <p class="hint">{t('corrected', { words: list.value.corrected })}</p>}
      <span class="sr" role="status">{list.value ? tn('films', films.length) : ''}</span>
      {list.error ? <Failure error={list.error} again={list.reload} /> : !list.value ? <Loading /> : films.length === 0 ? (
        <p class="empty">{words ? t('nothing_found', { q: words }) : t('nothing_on')}</p>
      ) : (
        <ul class="films">{films.map((film) => <FilmCard key={film.movie_id} film={film} city={city} date={date} />)}</ul>
      )}
      {cursor && <button type="button" class="button quiet more" onClick={() => void loadMore()}>{t('more')}</button>}
    </div>
  );
}
