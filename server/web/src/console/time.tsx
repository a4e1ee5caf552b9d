// The time machine: the seats of a show at any past instant, replayed from the log. A slider goes back and forth, play
// runs it at any speed, and each step says which seats changed.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, part, Problem, type SeatMap, type SeatStatus, type ShowPage } from '../lib/api';
import { clock, dateTime } from '../lib/format';
import { go } from '../lib/router';
import { useLoad } from '../ui/parts';
import { SeatCanvas } from '../ui/seat-canvas';
import { ShowPicker } from './shows';
import { Why } from './why';

const spans: [string, number][] = [['the last 15 minutes', 15 * 60e3], ['the last hour', 3600e3], ['the last 6 hours', 6 * 3600e3], ['the last day', 86400e3], ['the last week', 7 * 86400e3]];
const speeds = [1, 10, 60, 600, 3600];

export function TimePage({ id }: { id: string }): JSX.Element {
  return (
    <>
      <h1>Time machine</h1>
      <p class="hint">What the log says of a show at a past instant. Nothing is stored for this: the log is replayed.</p>
      <ShowPicker value={id} choose={(show) => go(`/console/time/${part(show)}`)} />
      {id && <Machine key={id} id={id} />}
    </>
  );
}

interface Step { at: number; lsn: number; text: string }

function Machine({ id }: { id: string }): JSX.Element {
  const show = useLoad(`show/${id}`, (signal) => get<ShowPage>(`/shows/${part(id)}`, signal));
  const [span, setSpan] = useState(3600e3);
  const [until, setUntil] = useState(Date.now());
  const [at, setAt] = useState(Date.now());
  const [shown, setShown] = useState<{ at: number; lsn: number } | null>(null);
  const [steps, setSteps] = useState<Step[]>([]);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(60);
  const [trouble, setTrouble] = useState('');
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<SeatCanvas | null>(null);
  const last = useRef<{ lsn: number; seats: Record<string, SeatStatus> } | null>(null);
  const wanted = useRef(at);
  const busy = useRef(false);
  wanted.current = at;

  /** One request at a time; where the slider has moved on meanwhile, the next asks for where it is then. */
  const look = async (): Promise<void> => {
    if (busy.current) return;
    busy.current = true;
    let asked = NaN;
    while (asked !== wanted.current) {
      asked = wanted.current;
      try {
        const map = await get<SeatMap>(`/shows/${part(id)}/seats?as_of=${part(new Date(asked).toISOString())}`);
        take(map, asked);
        setTrouble('');
      } catch (problem) {
        setTrouble(problem instanceof Problem ? (problem.status === 404 ? 'The show was not there yet.' : `${problem.code}: ${problem.detail}`) : String(problem));
      }
    }
    busy.current = false;
  };
  const take = (map: SeatMap, asked: number): void => {
    const seats = Object.fromEntries(map.seats.map((seat) => [seat.seat_id, seat.status]));
    if (!canvas.current) {
      canvas.current = new SeatCanvas(map.seats, map.focal_point, { label: 'Seats at that time', stage: 'Screen', nameOf: (seat) => `${seat.seat_id}, ${seat.status}`, onToggle: () => undefined });
      frame.current?.replaceChildren(canvas.current.root);
    } else canvas.current.update(seats, true);
    const before = last.current;
    if (before && before.lsn !== map.lsn) {
      const groups = new Map<string, string[]>();
      for (const [seat, status] of Object.entries(seats)) {
        if (before.seats[seat] !== status) groups.set(`${before.seats[seat]} → ${status}`, [...(groups.get(`${before.seats[seat]} → ${status}`) ?? []), seat]);
      }
      const text = [...groups].map(([change, list]) => `${list.slice(0, 12).join(', ')}${list.length > 12 ? ` and ${list.length - 12} more` : ''}: ${change}`).join('; ') || 'nothing about seats';
      setSteps((now) => [{ at: asked, lsn: map.lsn, text }, ...now].slice(0, 60));
    }
    last.current = { lsn: map.lsn, seats };
    setShown({ at: asked, lsn: map.lsn });
  };
  useEffect(() => void look(), [at, id]);
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => setAt((now) => {
      const next = now + 250 * speed;
      if (next >= until) setPlaying(false);
      return Math.min(next, until);
    }), 250);
    return () => clearInterval(timer);
  }, [playing, speed, until]);
  const zone = show.value?.time_zone ?? 'UTC';
  return (
    <>
      <section class="panel time-bar">
        <div class="time-fields">
          <button class="button small primary" onClick={() => { if (at >= until) setAt(until - span); setPlaying(!playing); }}>{playing ? 'Pause' : 'Play'}</button>
          <label class="pick"><span>at</span><select value={speed} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>{speeds.map((one) => <option key={one} value={one}>{one} × real time</option>)}</select></label>
          <label class="pick"><span>over</span><select value={span} onChange={(event) => { const now = Date.now(); setSpan(Number(event.currentTarget.value)); setUntil(now); setAt(Math.max(at, now - Number(event.currentTarget.value))); }}>{spans.map(([name, ms]) => <option key={ms} value={ms}>{name}</option>)}</select></label>
          <output class="time-now"><b>{clock(at, zone)}</b> {dateTime(new Date(at).toISOString(), zone)}{shown && ` · record ${shown.lsn}`}</output>
        </div>
        <input class="time-slider" type="range" aria-label="Instant" aria-valuetext={dateTime(new Date(at).toISOString(), zone)} min={until - span} max={until} step={Math.max(1000, Math.round(span / 3600))} value={at} onInput={(event) => { setPlaying(false); setAt(Number(event.currentTarget.value)); }} />
        {trouble && <p role="status" class="notice">{trouble}</p>}
      </section>
      <div class="columns">
        <section class="panel"><h2>{show.value?.movie.title ?? id}</h2><div class="hall-map console-map" ref={frame} /></section>
        <section class="panel">
          <h2>What changed</h2>
          {steps.length === 0 ? <p class="hint">Move the slider, or play.</p> : (
            <ol class="steps">{steps.map((step) => <li key={`${step.at}-${step.lsn}`}><b>{clock(step.at, zone)}</b> <span>record {step.lsn}</span><p>{step.text}</p></li>)}</ol>
          )}
        </section>
      </div>
      <Why id={id} zone={zone} />
    </>
  );
}
