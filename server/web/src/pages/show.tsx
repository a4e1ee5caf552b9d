// Choosing seats: the map, the same as a list, and best seats in one click. The map is alive: what others take is seen at
// once, and what they take from under one's hand is told.

import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get, newKey, part, post, Problem, type Reservation, type Seat, type SeatMap, type ShowPage } from '../lib/api';
import { day, isElsewhere, money, time } from '../lib/format';
import { explain, t, tn, useLanguage } from '../lib/i18n';
import { LiveSeats, type LiveState } from '../lib/live';
import { go } from '../lib/router';
import { admission, held, queuePlace } from '../lib/store';
import { Failure, Icon, Loading, Notice, PageTitle, Stepper, useLoad, useTitle } from '../ui/parts';
import { Poster } from '../ui/poster';
import { SeatCanvas } from '../ui/seat-canvas';
import { Legend } from '../ui/legend';

const seats_max = 10;
const statusText = (seat: Seat, chosen: boolean): string =>
  chosen ? t('chosen') : seat.status === 'available' ? t('free') : seat.status === 'reserved' ? t('held') : t('taken');
const kindText = (type: string): string =>
  type === 'premium' ? t('premium') : type === 'accessible' ? t('accessible') : type === 'companion' ? t('companion') : type === 'obstructed' ? t('obstructed') : t('standard');
export const seatName = (seat: Seat, chosen: boolean): string =>
  t('seat_name', { row: seat.row, number: seat.number, type: kindText(seat.type), price: money(seat.price), status: statusText(seat, chosen) });

/** The whole hall in words, row by row; a row's seats are made when it is opened. */
function SeatList({ seats, chosen, toggle, version }: { seats: readonly Seat[]; chosen: string[]; toggle: (seat: Seat) => void; version: number }): JSX.Element {
  const [opened, setOpened] = useState<Record<string, boolean>>({});
  const rows = useMemo(() => {
    const groups = new Map<string, Seat[]>();
    for (const seat of seats) groups.set(seat.row, [...(groups.get(seat.row) ?? []), seat]);
    return [...groups.entries()];
  }, [seats]);
  void version;
  return (
    <details class="seat-list">
      <summary>{t('seat_list')}</summary>
      <ul>
        {rows.map(([row, list]) => {
          const free = list.filter((seat) => seat.status === 'available').length;
          return (
            <li key={row}>
              <details onToggle={(event) => setOpened({ ...opened, [row]: (event.currentTarget as HTMLDetailsElement).open })}>
                <summary><b>{t('row', { row })}</b> <span>{free ? tn('row_free', free) : t('row_none')}</span></summary>
                {opened[row] && (
                  <div class="seat-checks">
                    {list.map((seat) => {
                      const mine = chosen.includes(seat.seat_id);
                      return (
                        <label key={seat.seat_id} class={`seat-check is-${mine ? 'chosen' : seat.status}`}>
                          <input type="checkbox" checked={mine} disabled={seat.status !== 'available' && !mine} aria-label={seatName(seat, mine)} onChange={() => toggle(seat)} />
                          <span aria-hidden="true">{seat.seat_id}</span>
                        </label>
                      );
                    })}
                  </div>
                )}
              </details>
            </li>
          );
        })}
      </ul>
    </details>
  );
}

function BestSeats({ types, busy, find }: { types: string[]; busy: boolean; find: (count: number, type: string) => void }): JSX.Element {
  const [count, setCount] = useState(2);
  const [type, setType] = useState('');
  return (
    <form class="best" onSubmit={(event) => { event.preventDefault(); find(count, type); }}>
      <h2>{t('best')}</h2>
      <div class="best-fields">
        <Stepper label={t('how_many')} value={count} min={1} max={seats_max} change={setCount} />
        {types.length > 1 && (
          <select aria-label={t('which_kind')} value={type} onChange={(event) => setType(event.currentTarget.value)}>
            <option value="">{t('best_any')}</option>
            {types.map((one) => <option key={one} value={one}>{kindText(one)}</option>)}
          </select>
        )}
        <button class="button accent" disabled={busy}><Icon name="spark" />{tn('best_find', count)}</button>
      </div>
    </form>
  );
}

export function ShowHead({ show }: { show: ShowPage }): JSX.Element {
  return (
    <header class="show-head">
      <a class="show-head-art" href={`/film/${part(show.movie_id)}`} aria-label={show.movie.title}><Poster film={show.movie} bare /></a>
      <div>
        <p class="over-title">{day(show.start_time, show.time_zone)}, {time(show.start_time, show.time_zone)}{isElsewhere(show.time_zone) && ` (${show.theater.city})`}</p>
        <PageTitle focus={show.show_id}><bdi>{show.movie.title}</bdi></PageTitle>
        <p class="show-head-place"><bdi>{show.theater.name}</bdi>, {show.theater.city} · <bdi>{show.screen.name}</bdi></p>
      </div>
    </header>
  );
}

export function ShowSeats({ id }: { id: string }): JSX.Element {
  const show = useLoad(`show/${id}`, (signal) => get<ShowPage>(`/shows/${part(id)}`, signal));
  useTitle(show.value ? `${t('choose_seats')}: ${show.value.movie.title}` : '');
  if (show.error) return <Failure error={show.error} again={show.reload} />;
  if (!show.value) return <Loading />;
  const over = show.value.status === 'completed' || Date.parse(show.value.start_time) <= Date.now();
  return (
    <div class="wrap wide">
      <ShowHead show={show.value} />
      {show.value.status === 'cancelled' ? <Notice kind="error">{t('show_cancelled')}</Notice> : over ? <Notice kind="info">{t('show_over')}</Notice> : <Choosing key={id} id={id} />}
    </div>
  );
}

/** The map in the page, and what the server says about it. */
function useSeats(id: string, onToggle: (seat: Seat) => void, onLost: (seats: string[]) => void) {
  const [canvas, setCanvas] = useState<SeatCanvas | null>(null);
  const [version, setVersion] = useState(0);
  const [state, setState] = useState<LiveState>('polling');
  const [error, setError] = useState<Problem | null>(null);
  const live = useRef<LiveSeats | null>(null);
  const toggle = useRef(onToggle);
  const lost = useRef(onLost);
  toggle.current = onToggle;
  lost.current = onLost;
  useEffect(() => {
    let made: SeatCanvas | null = null;
    const take = (seats: Record<string, Seat['status']>, whole: boolean): void => {
      const gone = made?.update(seats, whole) ?? [];
      if (gone.length) lost.current(gone);
      setVersion((n) => n + 1);
    };
    const feed = new LiveSeats(id, {
      onMap(map: SeatMap) {
        setError(null);
        if (!made) {
          made = new SeatCanvas(map.seats, map.focal_point, { label: `${t('seat_map')}. ${t('map_help')}`, stage: t('stage'), nameOf: seatName, onToggle: (seat) => toggle.current(seat) });
          setCanvas(made);
        } else take(Object.fromEntries(map.seats.map((seat) => [seat.seat_id, seat.status])), true);
      },
      onChange: take,
      onState: setState,
      onError: setError,
    });
    live.current = feed;
    return () => feed.close();
  }, [id]);
  return { canvas, version, state, error, live };
}

function Choosing({ id }: { id: string }): JSX.Element {
  const [chosen, setChosen] = useState<string[]>([]);
  const [message, setMessage] = useState('');
  const [busy, setBusy] = useState(false);
  const attempt = useRef<{ body: string; key: string } | null>(null);
  const frame = useRef<HTMLDivElement>(null);
  const language = useLanguage();

  const toggle = (seat: Seat): void => {
    if (chosen.includes(seat.seat_id)) setChosen(chosen.filter((one) => one !== seat.seat_id));
    else if (seat.status !== 'available') setMessage(`${seat.seat_id}: ${statusText(seat, false)}`);
    else if (chosen.length >= seats_max) setMessage(t('at_most', { n: seats_max }));
    else {
      setChosen([...chosen, seat.seat_id]);
      setMessage('');
    }
  };
  const lose = (seats: string[]): void => {
    setChosen((now) => now.filter((one) => !seats.includes(one)));
    setMessage(t('lost_seats', { seats: seats.join(', ') }));
  };
  const { canvas, version, state, error, live } = useSeats(id, toggle, lose);
  useEffect(() => {
    if (canvas) frame.current?.replaceChildren(canvas.root);
  }, [canvas]);
  useEffect(() => canvas?.choose(chosen), [canvas, chosen]);
  useEffect(() => canvas?.rename(), [canvas, language]);

  const reserve = async (body: Record<string, unknown>): Promise<void> => {
    setBusy(true);
    setMessage('');
    const text = JSON.stringify(body);
    // the same wish asked twice is one wish: a slow network must not take two sets of seats
    if (attempt.current?.body !== text) attempt.current = { body: text, key: newKey() };
    const token = admission.get(id);
    try {
      const made = await post<Reservation>(`/shows/${part(id)}/reserve`, body, attempt.current.key, token ? { 'Admission-Token': token } : undefined);
      held.set({ id: made.reservation_id, expires: Date.now() + made.expires_in_ms });
      go(`/checkout/${made.reservation_id}`);
    } catch (problem) {
      setBusy(false);
      if (!(problem instanceof Problem)) throw problem;
      if (problem.code !== 'offline') attempt.current = null;
      if (problem.code === 'admission_required') return void join(id, setMessage);
      if (problem.code === 'seats_unavailable') {
        lose((problem.body.unavailable_seats as string[]) ?? []);
        live.current?.refresh();
      } else setMessage(explain(problem.code, problem.detail));
    }
  };

  if (error) return <Failure error={error} />;
  if (!canvas) return <Loading />;
  const seats = canvas.all();
  const mine = chosen.map((one) => canvas.seat(one)).filter((seat): seat is Seat => seat !== undefined);
  const total = mine.reduce((sum, seat) => sum + seat.price.amount, 0);
  const free = canvas.free();
  const types = ['standard', 'premium'].filter((type) => seats.some((seat) => seat.type === type));
  return (
    <div class="choosing">
      <section class="hall" aria-label={t('seat_map')}>
        <div class="hall-bar">
          <span class={`live live-${state}`}><i aria-hidden="true" />{state === 'live' ? t('live') : state === 'polling' ? t('live_polling') : t('live_off')}</span>
          <span>{t('free_of', { n: free, total: seats.length })}</span>
          <span class="hall-tools">
            <button type="button" class="tool" aria-label={t('zoom_out')} onClick={() => canvas.zoom(1 / 1.5)}><Icon name="minus" /></button>
            <button type="button" class="tool" aria-label={t('zoom_in')} onClick={() => canvas.zoom(1.5)}><Icon name="plus" /></button>
            <button type="button" class="tool" aria-label={t('zoom_fit')} onClick={() => canvas.fit()}><Icon name="fit" /></button>
          </span>
        </div>
        <div class="hall-map" ref={frame} />
        <Legend types={[...new Set(seats.map((seat) => seat.type))]} />
      </section>
      <aside class="side">
        {free === 0 ? <Notice kind="info">{t('sold_out')}</Notice> : <BestSeats types={types} busy={busy} find={(count, type) => void reserve({ best_available: type ? { count, type } : { count } })} />}
        <SeatList seats={seats} chosen={chosen} toggle={toggle} version={version} />
        <div class="choice">
          <div class="choice-message" role="status">{message && <Notice kind="info">{message}</Notice>}</div>
          {mine.length === 0 ? <p class="hint">{t('choose_hint')}</p> : (
            <ul class="choice-seats">{mine.map((seat) => (
              <li key={seat.seat_id}><button type="button" class="chip" onClick={() => toggle(seat)}><b>{seat.seat_id}</b>{money(seat.price)}<Icon name="close" /><span class="sr">{t('close')}</span></button></li>
            ))}</ul>
          )}
          <div class="choice-end">
            <p class="choice-total"><span>{tn('seats_chosen', mine.length)}</span><b>{money({ amount: total, currency: seats[0]?.price.currency ?? 'EUR' })}</b></p>
            <button type="button" class="button primary" disabled={busy || mine.length === 0} onClick={() => void reserve({ seat_ids: chosen })}>{busy ? t('reserving') : t('reserve')}</button>
          </div>
        </div>
      </aside>
    </div>
  );
}

async function join(show: string, say: (text: string) => void): Promise<void> {
  try {
    const place = await post<{ queue_id: string }>(`/shows/${part(show)}/queue`, undefined);
    queuePlace.set(show, place.queue_id);
    go(`/wait/${part(place.queue_id)}?show=${part(show)}`);
  } catch (problem) {
    say(problem instanceof Problem ? explain(problem.code, problem.detail) : t('problem_unknown'));
  }
}
