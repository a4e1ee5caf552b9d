// One show for the people who run the house: its heat map, blocking seats, cancelling it.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type City, get, type Movie, type MovieList, newKey, part, post, Problem, type Seat, type SeatMap, type Show, type ShowPage, type Theater } from '../lib/api';
import { dateTime, nextDays, number, time } from '../lib/format';
import { LiveSeats, type LiveState } from '../lib/live';
import { useLoad } from '../ui/parts';
import { SeatCanvas } from '../ui/seat-canvas';
import { go } from '../lib/router';

const told = (problem: unknown): string => (problem instanceof Problem ? `${problem.code}: ${problem.detail}` : String(problem));

/** City, day, film, show. */
export function ShowPicker({ value, choose }: { value: string; choose: (show: string) => void }): JSX.Element {
  const cities = useLoad('cities', (signal) => get<{ cities: City[] }>('/cities', signal));
  const [cityId, setCity] = useState('');
  const [date, setDate] = useState('');
  const [movie, setMovie] = useState('');
  const city = cities.value?.cities.find((one) => one.city_id === cityId) ?? cities.value?.cities[0];
  const days = city ? nextDays(city.time_zone, 7) : [];
  const on = days.includes(date) ? date : days[0];
  const films = useLoad(city ? `${city.city_id}/${on}` : null, (signal) => get<MovieList>(`/movies?city_id=${part(city?.city_id ?? '')}&date=${on}&limit=100`, signal));
  const film = films.value?.movies.find((one: Movie) => one.movie_id === movie) ?? films.value?.movies[0];
  const times = useLoad(film && city ? `${film.movie_id}/${city.city_id}/${on}` : null,
    (signal) => get<{ theaters: (Theater & { shows: Show[] })[] }>(`/movies/${part(film?.movie_id ?? '')}/showtimes?city_id=${part(city?.city_id ?? '')}&date=${on}`, signal));
  return (
    <div class="picker">
      <label class="field"><span>City</span><select value={city?.city_id} onChange={(event) => setCity(event.currentTarget.value)}>{cities.value?.cities.map((one) => <option key={one.city_id} value={one.city_id}>{one.name}</option>)}</select></label>
      <label class="field"><span>Day</span><select value={on} onChange={(event) => setDate(event.currentTarget.value)}>{days.map((one) => <option key={one} value={one}>{one}</option>)}</select></label>
      <label class="field"><span>Film</span><select value={film?.movie_id} onChange={(event) => setMovie(event.currentTarget.value)}>{films.value?.movies.map((one: Movie) => <option key={one.movie_id} value={one.movie_id}>{one.title}</option>)}</select></label>
      <label class="field"><span>Show</span>
        <select value={value} onChange={(event) => event.currentTarget.value && choose(event.currentTarget.value)}>
          <option value="">choose</option>
          {times.value?.theaters.flatMap((theater) => theater.shows.map((show) => <option key={show.show_id} value={show.show_id}>{time(show.start_time, show.time_zone)} {theater.name} ({show.available_seats ?? '–'} free)</option>))}
        </select>
      </label>
      <form class="field" onSubmit={(event) => { event.preventDefault(); const id = String(new FormData(event.currentTarget).get('show')).trim(); if (id) choose(id); }}>
        <label><span>or its id</span><input class="input" name="show" defaultValue={value} maxLength={64} spellcheck={false} /></label>
      </form>
    </div>
  );
}

export function ShowsPage({ id }: { id: string }): JSX.Element {
  return (
    <>
      <h1>Shows</h1>
      <ShowPicker value={id} choose={(show) => go(`/console/shows/${part(show)}`)} />
      {id && <OneShow key={id} id={id} />}
    </>
  );
}

function OneShow({ id }: { id: string }): JSX.Element {
  const show = useLoad(`show/${id}`, (signal) => get<ShowPage>(`/shows/${part(id)}`, signal));
  const [map, setMap] = useState<SeatMap | null>(null);
  const [state, setState] = useState<LiveState>('polling');
  const [chosen, setChosen] = useState<string[]>([]);
  const [message, setMessage] = useState('');
  const [sure, setSure] = useState(false);
  const [, count] = useState(0);
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<SeatCanvas | null>(null);
  const live = useRef<LiveSeats | null>(null);
  const toggle = (seat: Seat): void => setChosen((now) => (now.includes(seat.seat_id) ? now.filter((one) => one !== seat.seat_id) : now.length < 32 ? [...now, seat.seat_id] : now));
  useEffect(() => {
    live.current = new LiveSeats(id, {
      onMap(next) {
        if (!canvas.current) {
          canvas.current = new SeatCanvas(next.seats, next.focal_point, { label: 'Seats of the show', stage: 'Screen', nameOf: (seat, mine) => `${seat.seat_id}, ${seat.type}, ${mine ? 'chosen' : seat.status}`, onToggle: toggle });
          frame.current?.replaceChildren(canvas.current.root);
        } else canvas.current.update(Object.fromEntries(next.seats.map((seat) => [seat.seat_id, seat.status])), true);
        setMap(next);
      },
      onChange(seats, whole) { canvas.current?.update(seats, whole); count((n) => n + 1); },
      onState: setState,
      onError: (problem) => setMessage(told(problem)),
    });
    return () => live.current?.close();
  }, [id]);
  useEffect(() => canvas.current?.choose(chosen), [chosen, map]);
  const act = async (what: string, path: string, body: unknown): Promise<void> => {
    try {
      await post(path, body, newKey());
      setMessage(`${what}: done`);
      setChosen([]);
      setSure(false);
      live.current?.refresh();
      show.reload();
    } catch (problem) {
      setMessage(`${what}: ${told(problem)}`);
    }
  };
  const seats = canvas.current?.all() ?? [];
  const of = (status: string): number => seats.filter((seat) => seat.status === status).length;
  return (
    <div class="columns">
      <section class="panel">
        {show.value && <h2>{show.value.movie.title}, {dateTime(show.value.start_time, show.value.time_zone)}, {show.value.theater.name} ({show.value.status})</h2>}
        <p class="hint">{number(of('available'))} free, {number(of('reserved'))} reserved, {number(of('booked'))} booked or blocked · {state}{map && ` · record ${map.lsn}`}</p>
        <div class="hall-map console-map" ref={frame} />
      </section>
      <section class="panel">
        <h2>Seats</h2>
        <p class="hint">Choose seats in the map, up to 32 at a time. Blocked ones are sold to nobody; only free ones can be blocked.</p>
        <p>{chosen.length ? chosen.join(', ') : 'none chosen'}</p>
        <div class="row-buttons">
          <button class="button small" disabled={!chosen.length} onClick={() => void act('block', `/admin/shows/${part(id)}/block`, { seat_ids: chosen })}>Block</button>
          <button class="button small" disabled={!chosen.length} onClick={() => void act('unblock', `/admin/shows/${part(id)}/unblock`, { seat_ids: chosen })}>Unblock</button>
          <a class="button small quiet" href={`/console/time/${part(id)}`}>Time machine</a>
        </div>
        <h2>Cancel the show</h2>
        <p class="hint">Sales stop at once, and every booking is refunded.</p>
        {sure
          ? <div class="row-buttons"><button class="button small danger" onClick={() => void act('cancel', `/admin/shows/${part(id)}/cancel`, undefined)}>Yes, cancel it</button><button class="button small quiet" onClick={() => setSure(false)}>No</button></div>
          : <button class="button small danger" disabled={show.value?.status !== 'scheduled'} onClick={() => setSure(true)}>Cancel the show…</button>}
        <p role="status">{message}</p>
      </section>
    </div>
  );
}
