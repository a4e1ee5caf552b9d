// What the signs of the seat map mean, drawn by the same hand.

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { SeatStatus } from '../lib/api';
import { t } from '../lib/i18n';
import { shapeOf } from './seat-canvas';

function Sign({ type, status, chosen }: { type: string; status: SeatStatus; chosen?: boolean }): JSX.Element {
  const node = useRef<SVGGElement>(null);
  useEffect(() => node.current?.replaceChildren(...shapeOf({ type, status }, chosen ?? false)), [type, status, chosen]);
  return <svg class="sign seats" viewBox="-5 -5 10 10" aria-hidden="true"><g ref={node} class={`seat is-${chosen ? 'chosen' : status} kind-${type}`} /></svg>;
}

export function Legend({ types }: { types: string[] }): JSX.Element {
  const signs: [string, string, SeatStatus, boolean][] = [[t('standard'), 'standard', 'available', false]];
  if (types.includes('premium')) signs.push([t('premium'), 'premium', 'available', false]);
  if (types.includes('accessible')) signs.push([t('accessible'), 'accessible', 'available', false]);
  if (types.includes('companion')) signs.push([t('companion'), 'companion', 'available', false]);
  if (types.includes('obstructed')) signs.push([t('obstructed'), 'obstructed', 'available', false]);
  signs.push([t('held'), 'standard', 'reserved', false], [t('taken'), 'standard', 'booked', false], [t('chosen'), 'standard', 'available', true]);
  return (
    <ul class="legend" aria-label={t('legend')}>
      {signs.map(([name, type, status, chosen]) => <li key={name}><Sign type={type} status={status} chosen={chosen} />{name}</li>)}
    </ul>
  );
}
