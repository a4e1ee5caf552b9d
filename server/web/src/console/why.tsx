// "Why didn't I get it": for one person and show, their place in the queue, what they asked and were told, and who had
// the seats then. From the log and the demand journal, by GET /admin/shows/{id}/explanation.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { get, part, Problem } from '../lib/api';
import { clock, dateTime } from '../lib/format';

interface Fate { at: string; lsn: number; what: string; who: 'they' | 'another' | 'house' }
interface Explanation {
  lsn: number;
  queue: { room_id: string; order: string; place: number | null; people: number; admitted: number; events: { at: string; lsn: number; what: string; admitted: number }[] }[];
  journal: { on: boolean; not_covered: { from: string; until: string }[]; dropped: number; left_out: number };
  asked: { at: string; what: string; result: string; count?: number; seat_ids: string[]; taken?: (Fate & { seat_id: string })[] }[];
  held: { at: string; lsn: number; what: string; seat_ids: string[] }[];
  seats: { seat_id: string; left_out: number; changes: Fate[] }[];
}

const words = (code: string): string => code.replaceAll('_', ' ');
const whose = { they: 'by themselves', another: 'by somebody else', house: 'by the house' };

export function Why({ id, zone }: { id: string; zone: string }): JSX.Element {
  const [told, setTold] = useState<Explanation | null>(null);
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  const ask = async (form: HTMLFormElement): Promise<void> => {
    const field = (name: string): string => String(new FormData(form).get(name) ?? '').trim();
    const user = field('user');
    const seats = field('seats').split(/[\s,]+/).filter(Boolean).join(',');
    setBusy(true);
    setTrouble('');
    try {
      setTold(await get<Explanation>(`/admin/shows/${part(id)}/explanation?${/^[0-9a-f]{16}$/.test(user) ? 'user_id' : 'user'}=${part(user)}${seats ? `&seat_ids=${part(seats)}` : ''}`));
    } catch (problem) {
      setTold(null);
      setTrouble(problem instanceof Problem ? `${problem.code}: ${problem.detail}` : String(problem));
    }
    setBusy(false);
  };
  return (
    <section class="panel why">
      <h2>Why didn’t they get it?</h2>
      <form class="picker" onSubmit={(event) => { event.preventDefault(); void ask(event.currentTarget); }}>
        <label class="field"><span>Person (user_id, or the sub of their token)</span><input class="input" name="user" required maxLength={256} spellcheck={false} autocomplete="off" /></label>
        <label class="field"><span>Seats that they say they wanted</span><input class="input" name="seats" maxLength={400} placeholder="F12, F13" spellcheck={false} autocomplete="off" /></label>
        <button class="button primary" disabled={busy}>{busy ? 'Reading the log…' : 'Explain'}</button>
      </form>
      {trouble && <p role="alert" class="notice notice-error">{trouble}</p>}
      {told && <Told told={told} zone={zone} />}
    </section>
  );
}

function Told({ told, zone }: { told: Explanation; zone: string }): JSX.Element {
  const when = (at: string): JSX.Element => <b title={dateTime(at, zone)}>{clock(Date.parse(at), zone)}</b>;
  const { journal } = told;
  return (
    <div class="why-told" aria-live="polite">
      <h3>In the queue</h3>
      {told.queue.length === 0 && <p class="hint">No waiting room ever guarded this show.</p>}
      {told.queue.map((room) => (
        <div key={room.room_id}>
          <p>{room.events.length === 0 ? `Never joined ${room.room_id}, which ${room.people} people did.` : `Place ${room.place ?? 'not drawn yet'} of ${room.people} in ${room.room_id}, by ${room.order}; ${room.admitted} were let in so far.`}</p>
          <ol class="steps">{room.events.map((event) => <li key={`${event.lsn}-${event.what}`}>{when(event.at)} <span>record {event.lsn}</span><p>{words(event.what)}, after {event.admitted} were let in</p></li>)}</ol>
        </div>
      ))}
      <h3>What they asked</h3>
      {!journal.on && <p class="notice">The demand journal is off: what was asked and refused is not known. It is switched on by <code>wal.demand_journal</code>.</p>}
      {journal.on && journal.not_covered.map((gap) => <p class="notice" key={gap.from}>The demand journal tells nothing from {dateTime(gap.from, zone)} ({clock(Date.parse(gap.from), zone)}) to {clock(Date.parse(gap.until), zone)}.</p>)}
      {journal.dropped > 0 && <p class="notice">{journal.dropped} commands, of anybody, found no room in the journal.</p>}
      {journal.left_out > 0 && <p class="hint">{journal.left_out} older ones are left out.</p>}
      {told.asked.length === 0 && journal.on && <p class="hint">Nothing of this person about this show.</p>}
      <ol class="steps why-asked">
        {told.asked.map((asked, at) => (
          <li key={at}>{when(asked.at)} <span>{words(asked.what)} {asked.seat_ids.join(', ') || (asked.count ? `${asked.count} seats` : '')}</span>
            <p>{asked.result === 'ok' ? 'done' : `refused: ${words(asked.result)}`}</p>
            {asked.taken?.map((seat) => <p key={seat.seat_id}>{seat.seat_id} was {seat.what} {whose[seat.who]} at {when(seat.at)}, record {seat.lsn}</p>)}
          </li>
        ))}
      </ol>
      <h3>What the log says of them</h3>
      {told.held.length === 0 ? <p class="hint">Nothing: they never held a seat of this show.</p>
        : <ol class="steps">{told.held.map((event) => <li key={`${event.lsn}-${event.what}`}>{when(event.at)} <span>record {event.lsn}</span><p>{words(event.what)} {event.seat_ids.join(', ')}</p></li>)}</ol>}
      {told.seats.length > 0 && <h3>Their seats, from hand to hand</h3>}
      {told.seats.map((seat) => (
        <details key={seat.seat_id} class="why-seat" open={told.seats.length < 5}>
          <summary>{seat.seat_id}{seat.changes.length === 0 && ': nobody has had it'}</summary>
          {seat.left_out > 0 && <p class="hint">{seat.left_out} older changes are left out.</p>}
          <ol class="steps">{seat.changes.map((change) => <li key={`${change.lsn}-${change.what}`}>{when(change.at)} <span>record {change.lsn}</span><p>{change.what} {whose[change.who]}</p></li>)}</ol>
        </details>
      ))}
    </div>
  );
}
