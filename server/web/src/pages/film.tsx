// One film: what it is, and where and when it plays, by theater.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type City, get, type Movie, part, query as queryOf, type Show, type Theater } from '../lib/api';
import { distance, duration, isElsewhere, longDate, money, nextDays, time } from '../lib/format';
import { t, tn } from '../lib/i18n';
import { go, usePlace } from '../lib/router';
import { Failure, Icon, Loading, PageTitle, useLoad, useTitle } from '../ui/parts';
import { paletteOf, Poster } from '../ui/poster';
import { chooseCity, CityPicker, DayStrip, loadCities } from './home';

type TheaterShows = Theater & { shows: Show[] };
interface Showtimes { theaters: TheaterShows[] }

function ShowButton({ show }: { show: Show }): JSX.Element {
  const free = show.available_seats ?? 0;
  const over = show.status !== 'scheduled' || Date.parse(show.start_time) <= Date.now();
  const share = show.total_seats ? free / show.total_seats : 0;
  const level = free === 0 ? 'none' : share < 0.15 ? 'few' : share < 0.5 ? 'some' : 'many';
  const state = over ? t('over') : free === 0 ? t('sold_out') : tn('seats_left', free);
  const body = (
    <>
      <span class="show-time">{time(show.start_time, show.time_zone)}</span>
      <span class="show-price">{t('from_price', { price: money(show.price_standard) })}</span>
      <span class="show-free"><svg class={`meter meter-${level}`} viewBox="0 0 40 4" preserveAspectRatio="none" aria-hidden="true"><rect width="40" height="4" rx="2" class="meter-ground" /><rect width={Math.max(free ? 3 : 0, Math.round(40 * share))} height="4" rx="2" class="meter-level" /></svg>{state}</span>
    </>
  );
  return over || free === 0 ? <span class="show-button is-off">{body}</span> : <a class="show-button" href={`/show/${part(show.show_id)}`}>{body}</a>;
}

function TheaterRow({ theater }: { theater: TheaterShows }): JSX.Element {
  return (
    <li class="theater">
      <div class="theater-head">
        <h3><bdi>{theater.name}</bdi></h3>
        <p>{theater.address?.includes(theater.city) ? theater.address : [theater.address, theater.city].filter(Boolean).join(', ')}{theater.distance_km !== undefined && <span class="away"> · {t('distance_away', { distance: distance(theater.distance_km) })}</span>}</p>
      </div>
      <div class="shows">{theater.shows.map((show) => <ShowButton key={show.show_id} show={show} />)}</div>
    </li>
  );
}

function Facts({ film }: { film: Movie }): JSX.Element {
  const facts: [string, string | null][] = [[t('released'), film.release_date?.slice(0, 4) ?? null], [t('spoken'), film.language], [t('rated'), film.rating]];
  return (
    <dl class="facts">
      {facts.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      {film.cast.length > 0 && <div><dt>{t('cast')}</dt><dd>{film.cast.slice(0, 6).join(', ')}</dd></div>}
    </dl>
  );
}

function Times({ id }: { id: string }): JSX.Element {
  const { query } = usePlace();
  const places = useLoad('cities', () => loadCities());
  const [city, setCity] = useState<City | undefined>();
  const [near, setNear] = useState<string | null>(null);
  const [locating, setLocating] = useState<'' | 'busy' | 'failed'>('');
  useEffect(() => {
    if (!places.value || city) return;
    setCity(places.value.find((one) => one.city_id === query.get('city')) ?? chooseCity(places.value));
  }, [places.value]);
  const days = city ? nextDays(city.time_zone, 7) : [];
  const asked = query.get('date');
  const date = asked && days.includes(asked) ? asked : days[0];
  const address = city ? `/movies/${part(id)}/showtimes${queryOf({ ...(near ? { near, radius_km: 50 } : { city_id: city.city_id }), date })}` : null;
  const times = useLoad(address, (signal) => get<Showtimes>(address ?? '', signal));
  if (places.error) return <Failure error={places.error} again={places.reload} />;
  if (!city || !places.value) return <Loading />;
  const locate = (): void => {
    setLocating('busy');
    navigator.geolocation.getCurrentPosition(
      (at) => { setNear(`${at.coords.latitude.toFixed(4)},${at.coords.longitude.toFixed(4)}`); setLocating(''); },
      () => setLocating('failed'),
      { maximumAge: 600000, timeout: 10000 },
    );
  };
  const theaters = times.value?.theaters.filter((theater) => theater.shows.length) ?? [];
  return (
    <section class="times" aria-labelledby="times">
      <div class="times-head">
        <h2 id="times">{t('showtimes')}</h2>
        {near
          ? <button type="button" class="chip" aria-pressed="true" onClick={() => setNear(null)}><Icon name="pin" />{t('near_you')}<Icon name="close" /></button>
          : <CityPicker all={places.value} value={city} change={setCity} />}
        {!near && 'geolocation' in navigator && <button type="button" class="chip" onClick={locate}><Icon name="pin" />{locating === 'busy' ? t('locating') : t('near_me')}</button>}
      </div>
      {locating === 'failed' && <p class="hint" role="status">{t('located_no')}</p>}
      <DayStrip zone={city.time_zone} value={date} change={(next) => go(`/film/${part(id)}${queryOf({ city: city.city_id, date: next })}`, true)} />
      {times.error ? <Failure error={times.error} again={times.reload} /> : !times.value ? <Loading /> : theaters.length === 0
        ? <p class="empty">{t('no_shows')}</p>
        : <ul class="theaters" aria-label={longDate(date)}>{theaters.map((theater) => <TheaterRow key={theater.theater_id} theater={theater} />)}</ul>}
      {isElsewhere(city.time_zone) && <p class="hint">{t('local_time', { zone: city.name })}</p>}
    </section>
  );
}

export function Film({ id }: { id: string }): JSX.Element {
  const film = useLoad(`film/${id}`, (signal) => get<Movie>(`/movies/${part(id)}`, signal));
  useTitle(film.value?.title ?? '');
  if (film.error) return <Failure error={film.error} again={film.reload} />;
  if (!film.value) return <Loading />;
  const movie = film.value;
  return (
    <article>
      <div class="film-hero">
        <svg class="film-back" viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
          <rect width="100" height="40" fill={paletteOf(movie)[0]} /><circle cx="78" cy="6" r="30" fill={paletteOf(movie)[1]} opacity="0.75" /><circle cx="92" cy="34" r="18" fill={paletteOf(movie)[3]} opacity="0.45" />
        </svg>
        <div class="film-hero-inner">
          <div class="film-poster"><Poster film={movie} /></div>
          <div class="film-text">
            <p class="over-title">{[movie.genre, duration(movie.duration_minutes)].filter(Boolean).join(' · ')}</p>
            <PageTitle focus={id}><bdi>{movie.title}</bdi></PageTitle>
            {movie.description && <p class="lead">{movie.description}</p>}
            <Facts film={movie} />
          </div>
        </div>
      </div>
      <div class="wrap"><Times id={id} /></div>
    </article>
  );
}
