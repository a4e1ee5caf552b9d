// Paying for what is reserved. The clock is the server's: it says how long is left, and only the way from then on is
// measured here. A payment that was sent is remembered with its key until its answer is here, so that a reload in the
// middle asks the same again and pays once.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Booking, call, get, newKey, part, post, Problem, type Reservation, type ShowPage } from '../lib/api';
import { countdown, money } from '../lib/format';
import { explain, t, tn } from '../lib/i18n';
import { go } from '../lib/router';
import { held, payment } from '../lib/store';
import { Failure, Icon, Loading, Notice, useLoad, useTitle } from '../ui/parts';
import { ShowHead } from './show';

const cards = [
  { token: 'pm_card_visa', name: 'card_visa', hint: 'card_visa_hint' },
  { token: 'pm_card_chargeDeclined', name: 'card_declined', hint: 'card_declined_hint' },
  { token: 'pm_card_chargeDeclinedInsufficientFunds', name: 'card_poor', hint: 'card_poor_hint' },
] as const;

/** Milliseconds left, by the server's word and this machine's monotonic clock. */
function useLeft(reservation: Reservation | null): number | null {
  const [now, setNow] = useState(performance.now());
  const base = useRef<{ id: string; until: number } | null>(null);
  if (reservation && base.current?.id !== `${reservation.reservation_id}${reservation.server_time}`) {
    base.current = { id: `${reservation.reservation_id}${reservation.server_time}`, until: performance.now() + reservation.expires_in_ms };
  }
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return base.current ? Math.max(0, base.current.until - now) : null;
}

function Clock({ left, whole }: { left: number; whole: number }): JSX.Element {
  const share = Math.min(1, left / Math.max(whole, 1));
  const minutes = Math.ceil(left / 60000);
  return (
    <div class={`clock ${left < 60000 ? 'is-short' : ''}`}>
      <svg viewBox="0 0 44 44" aria-hidden="true"><circle cx="22" cy="22" r="19" class="clock-ground" /><circle cx="22" cy="22" r="19" class="clock-left" stroke-dasharray={`${(119.38 * share).toFixed(1)} 119.38`} transform="rotate(-90 22 22)" /></svg>
      <div><span>{t('time_left')}</span><b role="timer">{countdown(left)}</b></div>
      <span class="sr" role="status">{tn('time_left_say', minutes)}</span>
    </div>
  );
}

export function Checkout({ id }: { id: string }): JSX.Element {
  const loaded = useLoad(`reservation/${id}`, (signal) => get<Reservation>(`/reservations/${part(id)}`, signal));
  const show = useLoad(loaded.value ? `show/${loaded.value.show_id}` : null, (signal) => get<ShowPage>(`/shows/${part(loaded.value?.show_id ?? '')}`, signal));
  useTitle(t('checkout'));
  const left = useLeft(loaded.value);
  const error = loaded.error instanceof Problem ? loaded.error : null;
  const pending = payment.get(id);
  if (error && error.code !== 'reservation_expired' && error.code !== 'seats_lost' && !pending) return <Failure error={error} again={loaded.reload} />;
  if (loaded.error && !pending) return <Ended title={t('expired_title')} text={t('expired_text')} />;
  if (!loaded.value && !pending) return <Loading />;
  if (loaded.value?.status === 'expired') return <Ended title={t('expired_title')} text={t('expired_text')} show={loaded.value.show_id} />;
  return (
    <div class="wrap">
      {show.value && <ShowHead show={show.value} />}
      <Paying id={id} reservation={loaded.value} left={left} />
    </div>
  );
}

function Ended({ title, text, show }: { title: string; text: string; show?: string }): JSX.Element {
  useEffect(() => held.set(null), []);
  return (
    <div class="wrap failure" role="alert">
      <Icon name="clock" />
      <h1>{title}</h1>
      <p>{text}</p>
      <a class="button primary" href={show ? `/show/${part(show)}` : '/'}>{show ? t('choose_again') : t('browse_films')}</a>
    </div>
  );
}

type Phase = { kind: 'open' } | { kind: 'paying' } | { kind: 'unknown' } | { kind: 'action'; url: string } | { kind: 'over'; title: string; text: string };

function Paying({ id, reservation, left }: { id: string; reservation: Reservation | null; left: number | null }): JSX.Element {
  const [phase, setPhase] = useState<Phase>({ kind: 'open' });
  const [trouble, setTrouble] = useState('');
  const [card, setCard] = useState<string>(cards[0].token);
  const [email, setEmail] = useState('');
  const alive = useRef(true);
  useEffect(() => () => void (alive.current = false), []);

  const done = (booking: string): void => {
    payment.set(id, null);
    held.set(null);
    go(`/my/bookings/${booking}?new=1`, true);
  };
  const send = async (body: Record<string, string>, key: string): Promise<void> => {
    payment.set(id, { key, body, sent: Date.now() });
    setPhase({ kind: 'paying' });
    setTrouble('');
    try {
      const answer = await post<Booking & { next_action?: { type: string; url?: string; redirect_to_url?: { url: string } } }>('/bookings', body, key);
      if (answer.tickets) return done(answer.booking_id);
      const url = answer.next_action?.redirect_to_url?.url ?? answer.next_action?.url;
      setPhase(url ? { kind: 'action', url } : { kind: 'unknown' });
      void watch(answer.booking_id);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      refused(problem, body, key);
    }
  };
  /** Waits for the bank's word: the booking appears, or the reservation is open or over again. */
  const watch = async (booking: string): Promise<void> => {
    for (let wait = 700; alive.current; wait = Math.min(wait * 1.4, 5000)) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        const made = await get<Booking>(`/bookings/${part(booking)}`);
        if (made.tickets) return done(made.booking_id);
      } catch { /* not yet */ }
      try {
        const now = await get<Reservation>(`/reservations/${part(id)}`);
        if (now.status === 'reserved') {
          payment.set(id, null);
          setTrouble(t('declined'));
          return setPhase({ kind: 'open' });
        }
      } catch (problem) {
        if (problem instanceof Problem && (problem.status === 410 || problem.status === 409)) return over(problem);
      }
    }
  };
  const over = (problem: Problem): void => {
    payment.set(id, null);
    held.set(null);
    const isLost = problem.code === 'seats_lost';
    setPhase({ kind: 'over', title: isLost ? t('problem_seats_lost') : t('expired_title'), text: isLost ? t('seats_lost') : t('expired_text') });
  };
  const refused = (problem: Problem, body: Record<string, string>, key: string): void => {
    if (!alive.current) return;
    if (problem.code === 'payment_declined') {
      payment.set(id, null);
      setTrouble(problem.body.decline_code === 'insufficient_funds' ? t('declined_funds') : t('declined'));
      return setPhase({ kind: 'open' });
    }
    if (problem.code === 'already_booked') return void go('/my/bookings', true);
    if (problem.code === 'reservation_expired' || problem.code === 'seats_lost') return over(problem);
    if (problem.code === 'payment_in_flight' || problem.code === 'idempotency_in_flight' || problem.status === 0 || problem.status >= 500) {
      // nobody knows whether it was charged: the same request is sent again, and takes effect once
      setPhase({ kind: 'unknown' });
      setTimeout(() => alive.current && void send(body, key), problem.status === 0 ? 3000 : 1500);
      return;
    }
    payment.set(id, null);
    setTrouble(explain(problem.code, problem.detail));
    setPhase({ kind: 'open' });
  };
  useEffect(() => {
    const pending = payment.get(id);
    if (pending) void send(pending.body, pending.key);
  }, [id]);

  if (phase.kind === 'over') return <Ended title={phase.title} text={phase.text} show={reservation?.show_id} />;
  if (phase.kind === 'open' && left === 0) return <Ended title={t('expired_title')} text={t('expired_text')} show={reservation?.show_id} />;
  const release = async (): Promise<void> => {
    try {
      await call('DELETE', `/reservations/${part(id)}`);
    } catch { /* gone already is what was wanted */ }
    held.set(null);
    go(reservation ? `/show/${part(reservation.show_id)}` : '/');
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const body: Record<string, string> = { reservation_id: id, payment_token: card };
    if (email.trim()) body.email = email.trim();
    void send(body, newKey());
  };
  const busy = phase.kind !== 'open';
  return (
    <div class="checkout">
      <section class="bill" aria-label={t('your_seats')}>
        {reservation && left !== null && <Clock left={left} whole={Date.parse(reservation.expires_at) - Date.parse(reservation.reserved_at)} />}
        {reservation && (
          <>
            <h2>{t('your_seats')}</h2>
            <p class="bill-seats">{reservation.seat_ids.map((seat) => <span key={seat} class="seat-tag">{seat}</span>)}</p>
            <p class="bill-total"><span>{t('total')}</span><b>{money(reservation.total_amount)}</b></p>
            <button type="button" class="button quiet" disabled={busy} onClick={() => void release()}>{t('give_back')}</button>
          </>
        )}
      </section>
      <form class="pay" onSubmit={submit}>
        <fieldset disabled={busy}>
          <legend>{t('card')}</legend>
          <p class="hint">{t('card_hint')}</p>
          {cards.map((one) => (
            <label key={one.token} class="card-row">
              <input type="radio" name="card" value={one.token} checked={card === one.token} onChange={() => setCard(one.token)} />
              <svg class="card-art" viewBox="0 0 36 24" aria-hidden="true"><rect width="36" height="24" rx="4" /><rect y="5" width="36" height="5" class="card-stripe" /><rect x="4" y="15" width="12" height="3" rx="1.500" class="card-chip" /></svg>
              <span><b>{t(one.name)}</b><small>{t(one.hint)}</small></span>
            </label>
          ))}
          <label class="field"><span>{t('email')} <small>({t('optional')})</small></span>
            <input type="email" autocomplete="email" maxLength={254} value={email} onInput={(event) => setEmail(event.currentTarget.value)} />
          </label>
        </fieldset>
        <div aria-live="polite">
          {trouble && <Notice kind="error">{trouble}</Notice>}
          {phase.kind === 'unknown' && <Notice kind="info">{t('payment_unknown')}</Notice>}
          {phase.kind === 'action' && <Notice kind="info">{t('needs_action')} <a class="button small" href={phase.url} target="_blank" rel="noopener">{t('action_go')}</a></Notice>}
          {phase.kind === 'paying' && !reservation && <Notice kind="info">{t('payment_resumed')}</Notice>}
        </div>
        <button class="button primary big" disabled={busy}>{busy ? t('paying') : t('pay_now', { amount: reservation ? money(reservation.total_amount) : '' })}</button>
      </form>
    </div>
  );
}
