// What this visitor has booked: the list, and one booking with its tickets and its cancellation.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Booking, get, type Money, newKey, part, post, Problem, type ShowPage, type Ticket } from '../lib/api';
import { dateTime, day, money, time } from '../lib/format';
import { explain, t, tn } from '../lib/i18n';
import { usePlace } from '../lib/router';
import { Failure, Icon, Loading, Notice, PageTitle, useLoad, useTitle } from '../ui/parts';
import { Poster } from '../ui/poster';

interface BookingList { bookings: Booking[]; next_cursor: string | null }
const statusText = (status: string): string =>
  status === 'confirmed' ? t('status_confirmed') : status === 'cancelled' ? t('status_cancelled') : status === 'refunded' ? t('status_refunded') : status;
const ticketText = (status: Ticket['status']): string =>
  status === 'valid' ? t('status_valid') : status === 'used' ? t('status_used') : t('status_cancelled');

async function loadBookings(): Promise<BookingList> {
  try {
    return await get<BookingList>('/bookings?limit=50');
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 401) return { bookings: [], next_cursor: null };
    throw problem;
  }
}

function BookingCard({ booking }: { booking: Booking }): JSX.Element {
  const show = useLoad(`show/${booking.show_id}`, (signal) => get<ShowPage>(`/shows/${part(booking.show_id)}`, signal));
  const seats = booking.tickets.filter((ticket) => ticket.status !== 'cancelled');
  return (
    <li>
      <a class={`booking-card is-${booking.status}`} href={`/my/bookings/${part(booking.booking_id)}`}>
        <span class="booking-art">{show.value && <Poster film={show.value.movie} bare />}</span>
        <span class="booking-text">
          <b><bdi>{show.value?.movie.title ?? '…'}</bdi></b>
          <span>{show.value && dateTime(show.value.start_time, show.value.time_zone)}</span>
          <span>{show.value && <bdi>{show.value.theater.name}</bdi>}</span>
        </span>
        <span class="booking-end">
          <span class={`badge badge-${booking.status}`}>{statusText(booking.status)}</span>
          <span>{(seats.length ? seats : booking.tickets).map((ticket) => ticket.seat_id).join(', ')}</span>
        </span>
      </a>
    </li>
  );
}

export function Bookings(): JSX.Element {
  const list = useLoad('bookings', loadBookings);
  useTitle(t('my_bookings'));
  return (
    <div class="wrap">
      <PageTitle>{t('my_bookings')}</PageTitle>
      {list.error ? <Failure error={list.error} again={list.reload} /> : !list.value ? <Loading /> : list.value.bookings.length === 0
        ? <div class="empty"><p>{t('no_bookings')}</p><a class="button primary" href="/">{t('browse_films')}</a></div>
        : <ul class="bookings">{list.value.bookings.map((booking) => <BookingCard key={booking.booking_id} booking={booking} />)}</ul>}
    </div>
  );
}

function TicketCard({ booking, ticket, show }: { booking: Booking; ticket: Ticket; show: ShowPage }): JSX.Element {
  const [hasPicture, setPicture] = useState(true);
  const base = `/bookings/${part(booking.booking_id)}/tickets/${part(ticket.ticket_id)}`;
  const seat = /^(.*?)(\d+)$/.exec(ticket.seat_id);
  return (
    <li class={`ticket is-${ticket.status}`}>
      <div class="ticket-stub">
        {hasPicture && ticket.status !== 'cancelled'
          ? <img src={`${base}.svg`} alt={t('ticket_code')} width="168" height="168" onError={() => setPicture(false)} />
          : <div class="ticket-code"><code>{ticket.qr_code}</code></div>}
        <span class={`badge badge-${ticket.status}`}>{ticketText(ticket.status)}</span>
      </div>
      <div class="ticket-body">
        <p class="over-title">{day(show.start_time, show.time_zone)}</p>
        <h2><bdi>{show.movie.title}</bdi></h2>
        <dl class="ticket-facts">
          <div><dt>{t('starts')}</dt><dd>{time(show.start_time, show.time_zone)}</dd></div>
          <div><dt>{t('screen')}</dt><dd>{show.screen.name}</dd></div>
          <div><dt>{t('row', { row: '' }).trim()}</dt><dd>{seat ? seat[1] : ticket.seat_id}</dd></div>
          <div><dt>{t('seat')}</dt><dd>{seat ? seat[2] : ticket.seat_id}</dd></div>
        </dl>
        <p class="ticket-place"><bdi>{show.theater.name}</bdi>, {show.theater.city} · {money(ticket.price)}</p>
        {hasPicture && ticket.status !== 'cancelled' && <a class="ticket-link" href={`${base}.pdf`} download data-plain>{t('print_pdf')}</a>}
      </div>
    </li>
  );
}

interface Preview { refund: { amount: number; currency: string; percent: number } }
function Cancelling({ booking, close, done }: { booking: Booking; close: () => void; done: (text: string) => void }): JSX.Element {
  const valid = booking.tickets.filter((ticket) => ticket.status === 'valid');
  const [seats, setSeats] = useState(valid.map((ticket) => ticket.seat_id));
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  const preview = useLoad(`preview/${booking.booking_id}`, (signal) => get<Preview>(`/bookings/${part(booking.booking_id)}/cancellation`, signal));
  const percent = preview.value?.refund.percent ?? 0;
  const chosen = valid.filter((ticket) => seats.includes(ticket.seat_id));
  const price = chosen.reduce((sum, ticket) => sum + ticket.price.amount, 0);
  const whole = chosen.length === valid.length;
  const back: Money = { amount: whole ? (preview.value?.refund.amount ?? 0) : Math.floor((price * percent) / 100), currency: booking.total_amount.currency };
  const cancel = async (): Promise<void> => {
    setBusy(true);
    try {
      const answer = await post<Preview>(`/bookings/${part(booking.booking_id)}/cancel`, whole ? {} : { seat_ids: seats }, newKey());
      done(t('cancel_done', { amount: money(answer.refund) }));
    } catch (problem) {
      setBusy(false);
      setTrouble(problem instanceof Problem ? explain(problem.code, problem.detail) : t('problem_unknown'));
    }
  };
  if (preview.error instanceof Problem) return <Notice kind="error">{explain(preview.error.code, preview.error.detail)}</Notice>;
  return (
    <section class="cancelling" aria-label={t('cancel')}>
      <h2>{t('cancel_which')}</h2>
      <div class="cancel-seats">
        {valid.map((ticket) => (
          <label key={ticket.ticket_id} class="check-row">
            <input type="checkbox" checked={seats.includes(ticket.seat_id)} disabled={busy} onChange={(event) =>
              setSeats(event.currentTarget.checked ? [...seats, ticket.seat_id] : seats.filter((one) => one !== ticket.seat_id))} />
            <b>{ticket.seat_id}</b><span>{money(ticket.price)}</span>
          </label>
        ))}
      </div>
      <p role="status" class="cancel-back">{!preview.value ? t('loading') : percent ? t('cancel_gives', { amount: money(back), percent }) : t('cancel_nothing')}</p>
      {trouble && <Notice kind="error">{trouble}</Notice>}
      <div class="row-buttons">
        <button type="button" class="button danger" disabled={busy || !preview.value || chosen.length === 0} onClick={() => void cancel()}>{tn('cancel_confirm', chosen.length)}</button>
        <button type="button" class="button quiet" disabled={busy} onClick={close}>{t('cancel_keep')}</button>
      </div>
    </section>
  );
}

export function BookingPage({ id }: { id: string }): JSX.Element {
  const { query } = usePlace();
  const [good, setGood] = useState('');
  const [cancelling, setCancelling] = useState(false);
  const booking = useLoad(`booking/${id}`, (signal) => get<Booking>(`/bookings/${part(id)}`, signal));
  const show = useLoad(booking.value ? `show/${booking.value.show_id}` : null, (signal) => get<ShowPage>(`/shows/${part(booking.value?.show_id ?? '')}`, signal));
  const isNew = query.get('new') === '1';
  useTitle(show.value?.movie.title ?? t('my_bookings'));
  useEffect(() => setCancelling(false), [id]);
  if (booking.error) return <Failure error={booking.error} again={booking.reload} />;
  if (show.error) return <Failure error={show.error} again={show.reload} />;
  if (!booking.value || !show.value) return <Loading />;
  const made = booking.value;
  const valid = made.tickets.some((ticket) => ticket.status === 'valid');
  return (
    <div class="wrap">
      <div class="booking-head">
        <PageTitle focus={id}>{isNew && valid ? t('booked_title') : tn('tickets', made.tickets.length)}</PageTitle>
        {isNew && valid && <p class="lead">{t('booked_text')}</p>}
      </div>
      {good && <Notice kind="good">{good}</Notice>}
      <ul class="tickets">{made.tickets.map((ticket) => <TicketCard key={ticket.ticket_id} booking={made} ticket={ticket} show={show.value as ShowPage} />)}</ul>
      <dl class="booking-facts">
        <div><dt>{t('booking_number')}</dt><dd><code>{made.booking_id}</code></dd></div>
        <div><dt>{t('paid')}</dt><dd>{money(made.total_amount)}</dd></div>
        {made.refunded_amount.amount > 0 && <div><dt>{t('refunded')}</dt><dd>{money(made.refunded_amount)}</dd></div>}
      </dl>
      <div class="row-buttons">
        {valid && <a class="button quiet" href={`/bookings/${part(id)}/calendar.ics`} download data-plain><Icon name="calendar" />{t('add_calendar')}</a>}
        {valid && !cancelling && <button type="button" class="button quiet" onClick={() => setCancelling(true)}>{t('cancel')}</button>}
      </div>
      {cancelling && <Cancelling booking={made} close={() => setCancelling(false)} done={(text) => { setGood(text); setCancelling(false); booking.reload(); }} />}
    </div>
  );
}
