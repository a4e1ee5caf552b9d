// The waiting room: where one stands, how long it may take, and the door when it opens. The server says when to look
// again; a reload keeps the place, since the place belongs to the visitor and not to this page.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, get, part, post, Problem, type ShowPage } from '../lib/api';
import { countdown, dateTime, number } from '../lib/format';
import { t } from '../lib/i18n';
import { go, usePlace } from '../lib/router';
import { admission, queuePlace } from '../lib/store';
import { Failure, Loading, PageTitle, useLoad, useTitle } from '../ui/parts';
import { ShowHead } from './show';

interface Place {
  queue_id: string; state: 'waiting' | 'admitted' | 'sold_out' | 'closed'; reason?: string; position?: number; people_ahead?: number;
  people_waiting: number; estimate?: { from_s: number; to_s: number }; refresh_after_ms: number; opens_at: string;
  admission?: { token: string; expires_in_ms: number };
}

const refresh_ms = 3000;

export function Waiting({ id }: { id: string }): JSX.Element {
  const { query } = usePlace();
  const showId = query.get('show');
  const [place, setPlace] = useState<Place | null>(null);
  const [error, setError] = useState<Problem | null>(null);
  const [until, setUntil] = useState(0);
  const [, tick] = useState(0);
  const first = useRef<number | null>(null);
  const show = useLoad(showId ? `show/${showId}` : null, (signal) => get<ShowPage>(`/shows/${part(showId ?? '')}`, signal));
  useTitle(t('waiting_title'));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let ended = false;
    const look = async (): Promise<void> => {
      let next = refresh_ms;
      try {
        const now = await get<Place>(`/queue/${part(id)}`);
        if (ended) return;
        first.current ??= now.people_ahead ?? null;
        setPlace(now);
        setError(null);
        if (now.admission && showId) {
          admission.set(showId, now.admission.token);
          setUntil(Date.now() + now.admission.expires_in_ms);
        }
        next = Math.max(500, now.refresh_after_ms);
        if (now.state === 'sold_out' || now.state === 'closed') return;
      } catch (problem) {
        if (ended) return;
        setError(problem instanceof Problem ? problem : new Problem(0, 'unknown', ''));
        if (problem instanceof Problem && problem.status === 404) return;
      }
      timer = setTimeout(() => void look(), next);
    };
    void look();
    const seconds = setInterval(() => tick((n) => n + 1), 1000);
    return () => { ended = true; clearTimeout(timer); clearInterval(seconds); };
  }, [id]);
  const leave = async (): Promise<void> => {
    try {
      await call('DELETE', `/queue/${part(id)}`);
    } catch { /* gone already */ }
    if (showId) queuePlace.set(showId, null);
    go('/');
  };
  const join = async (): Promise<void> => {
    const made = await post<Place>(`/shows/${part(showId ?? '')}/queue`, undefined);
    go(`/wait/${part(made.queue_id)}?show=${part(showId ?? '')}`, true);
  };
  if (error?.status === 404) {
    return (
      <div class="wrap failure"><h1>{t('waiting_none')}</h1>{showId && <button class="button primary" onClick={() => void join()}>{t('waiting_join')}</button>}</div>
    );
  }
  if (error && !place) return <Failure error={error} />;
  if (!place) return <Loading />;
  const ahead = place.people_ahead;
  const share = first.current ? 1 - (ahead ?? 0) / Math.max(first.current, 1) : 0;
  const minutes = (seconds: number): string => number(Math.max(1, Math.round(seconds / 60)));
  return (
    <div class="wrap waiting">
      {show.value && <ShowHead show={show.value} />}
      <section class={`line line-${place.state}`} aria-live="polite">
        <PageTitle focus={place.state}>
          {place.state === 'admitted' ? t('waiting_admitted') : place.state === 'sold_out' ? t('waiting_sold_out') : place.state === 'closed' ? t('waiting_closed') : t('waiting_title')}
        </PageTitle>
        {place.state === 'waiting' && (
          <>
            <p class="line-ahead"><b>{number(ahead ?? place.people_waiting)}</b><span>{ahead === undefined ? t('waiting_drawn') : t('waiting_place')}</span></p>
            <svg class="line-bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="3" class="meter-ground" /><rect width={Math.round(100 * share)} height="3" class="meter-level" /></svg>
            {Date.parse(place.opens_at) > Date.now()
              ? <p>{t('waiting_opens', { time: dateTime(place.opens_at, show.value?.time_zone ?? 'UTC') })}</p>
              : place.estimate && <p>{place.estimate.to_s < 60 ? t('waiting_soon') : t('waiting_estimate', { from: minutes(place.estimate.from_s), to: minutes(place.estimate.to_s) })}</p>}
            <p class="hint">{t('waiting_hint')}</p>
            <button type="button" class="button quiet" onClick={() => void leave()}>{t('waiting_leave')}</button>
          </>
        )}
        {place.state === 'admitted' && (
          <>
            <p>{t('waiting_admitted_text', { time: countdown(until - Date.now()) })}</p>
            {showId && <a class="button primary big" href={`/show/${part(showId)}`}>{t('waiting_enter')}</a>}
          </>
        )}
        {place.state === 'sold_out' && <p>{t('waiting_sold_out_text')}</p>}
      </section>
    </div>
  );
}
