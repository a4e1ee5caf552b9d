// Waiting rooms: how each stands, and what an operator does to it: open one before a show, change its rate, hold it, close it.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, get, newKey, part, post, Problem } from '../lib/api';
import { number } from '../lib/format';
import { ShowPicker } from './shows';

interface Room {
  room_id: string; status: 'open' | 'closed' | 'removed'; order: string; opens_at: string; paused: boolean; rate_per_minute: number;
  waiting: number; admitted_now: number; admitted: number; finished: number; lapsed: number; left: number; sold_out: boolean;
  free_seats: number; held_seats: number;
}

const period_ms = 2000;
const told = (problem: unknown): string => (problem instanceof Problem ? `${problem.code}: ${problem.detail}` : String(problem));

export function RoomsPage(): JSX.Element {
  const [rooms, setRooms] = useState<Room[] | null>(null);
  const [message, setMessage] = useState('');
  const look = async (): Promise<void> => {
    const { rooms: ids } = await get<{ rooms: string[] }>('/admin/rooms');
    // one that is removed between the two calls is gone
    const found = await Promise.all(ids.map((id) => get<Room>(`/admin/rooms/${part(id)}`).catch(() => null)));
    setRooms(found.filter((room) => room !== null));
  };
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout>;
    const again = async (): Promise<void> => {
      await look().catch((problem) => ended || setMessage(told(problem)));
      if (!ended) timer = setTimeout(() => void again(), period_ms);
    };
    void again();
    return () => { ended = true; clearTimeout(timer); };
  }, []);
  const act = async (what: string, doing: () => Promise<unknown>): Promise<boolean> => {
    try {
      await doing();
      setMessage(`${what}: done`);
      await look();
      return true;
    } catch (problem) {
      setMessage(`${what}: ${told(problem)}`);
      return false;
    }
  };
  return (
    <>
      <h1>Waiting rooms</h1>
      <p role="status">{message}</p>
      {rooms === null ? <p>Reading…</p> : rooms.length === 0 && <p class="hint">There is none. Open one before a show that everybody wants.</p>}
      <div class="rooms">{rooms?.map((room) => <OneRoom key={room.room_id} room={room} act={act} />)}</div>
      <OpenRoom act={act} />
    </>
  );
}

type Act = (what: string, doing: () => Promise<unknown>) => Promise<boolean>;

function OneRoom({ room, act }: { room: Room; act: Act }): JSX.Element {
  const [sure, setSure] = useState(false);
  const path = `/admin/rooms/${part(room.room_id)}`;
  const change = (what: string, body: unknown): void => void act(`${what} ${room.room_id}`, () => call('PATCH', path, { body }));
  const facts: [string, string | number][] = [
    ['Waiting', room.waiting], ['Let in, and not done', room.admitted_now], ['Let in so far', room.admitted], ['Reserved', room.finished],
    ['Lapsed', room.lapsed], ['Left', room.left], ['Free seats', room.free_seats], ['Held seats', room.held_seats],
  ];
  const open = room.status === 'open';
  return (
    <section class="panel" data-room={room.room_id}>
      <h2>{room.room_id} <small>{room.status}{room.paused && ', on hold'}{room.sold_out && ', sold out'} · by {room.order} · {room.rate_per_minute === 0 ? 'as the seats allow' : `${number(room.rate_per_minute)} a minute`}</small></h2>
      <dl class="room-facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{typeof value === 'number' ? number(value) : value}</dd></div>)}</dl>
      <form class="picker" onSubmit={(event) => { event.preventDefault(); change('change the rate of', { rate_per_minute: Number(new FormData(event.currentTarget).get('rate')) }); }}>
        <label class="field"><span>People a minute (0: as the seats allow)</span><input class="input" name="rate" type="number" min={0} max={6000000} step={1} required defaultValue={String(room.rate_per_minute)} disabled={!open} /></label>
        <button class="button small" disabled={!open}>Change the rate</button>
      </form>
      <div class="row-buttons">
        <button class="button small" disabled={!open} onClick={() => change(room.paused ? 'let people into' : 'hold', { paused: !room.paused })}>{room.paused ? 'Let people in' : 'Hold'}</button>
        {sure
          ? <><button class="button small danger" onClick={() => { setSure(false); void act(`close ${room.room_id}`, () => post(`${path}/close`, undefined, newKey())); }}>Yes, close it</button><button class="button small quiet" onClick={() => setSure(false)}>No</button></>
          : <button class="button small danger" disabled={!open} onClick={() => setSure(true)}>Close the room…</button>}
      </div>
      {sure && <p class="hint">Its shows are then free for everybody, and the queue is gone.</p>}
    </section>
  );
}

function OpenRoom({ act }: { act: Act }): JSX.Element {
  const [shows, setShows] = useState<string[]>([]);
  const open = async (form: HTMLFormElement): Promise<void> => {
    const field = (name: string): string => String(new FormData(form).get(name) ?? '').trim();
    const at = field('opens_at');
    const body = {
      room_id: field('room_id'), show_ids: shows, order: field('order'), rate_per_minute: Number(field('rate')),
      ...(at ? { opens_at: new Date(at).toISOString() } : {}),
    };
    if (await act(`open ${body.room_id}`, () => post('/admin/rooms', body, newKey()))) {
      setShows([]);
      form.reset();
    }
  };
  return (
    <section class="panel open-room">
      <h2>Open a waiting room</h2>
      <ShowPicker value="" choose={(show) => setShows((now) => (now.includes(show) ? now : [...now, show]))} />
      <p>{shows.length === 0 ? 'No show chosen yet.' : shows.map((show) => <button key={show} type="button" class="chip" aria-label={`leave ${show} out`} onClick={() => setShows(shows.filter((one) => one !== show))}>{show} ×</button>)}</p>
      <form class="picker" onSubmit={(event) => { event.preventDefault(); void open(event.currentTarget); }}>
        <label class="field"><span>Name</span><input class="input" name="room_id" required maxLength={64} spellcheck={false} autocomplete="off" /></label>
        <label class="field"><span>Order</span><select name="order"><option value="arrival">by arrival</option><option value="draw">by a draw</option></select></label>
        <label class="field"><span>Opens at (empty: now; your own clock)</span><input class="input" name="opens_at" type="datetime-local" step={1} /></label>
        <label class="field"><span>People a minute (0: as the seats allow)</span><input class="input" name="rate" type="number" min={0} max={6000000} step={1} defaultValue="0" required /></label>
        <button class="button primary" disabled={shows.length === 0}>Open the room</button>
      </form>
    </section>
  );
}
