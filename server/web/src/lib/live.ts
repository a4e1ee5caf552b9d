// The seats of a show as they change: asked for again and again with the ETag, which costs nothing while nothing changed.

import { Problem, part, problemOf, raw, type SeatMap } from './api';

export type LiveState = 'polling' | 'off';
export interface LiveListener {
  onMap(map: SeatMap): void;
  onState(state: LiveState): void;
  onError(error: Problem): void;
}

const poll_ms = 2000;
const retry_ms_max = 15000;

export class LiveSeats {
  private known = false;
  private etag = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private ended = false;

  constructor(private readonly show: string, private readonly to: LiveListener) {
    void this.poll();
    document.addEventListener('visibilitychange', this.onVisible);
  }
  close(): void {
    this.ended = true;
    document.removeEventListener('visibilitychange', this.onVisible);
    clearTimeout(this.timer);
  }
  /** Asks at once, after something that must have changed the map. */
  refresh(): void {
    void this.poll();
  }

  private readonly onVisible = (): void => {
    if (document.visibilityState === 'visible') void this.poll();
  };

  private async poll(): Promise<void> {
    if (this.ended) return;
    clearTimeout(this.timer);
    try {
      const response = await raw('GET', `/shows/${part(this.show)}/seats`, { headers: this.etag ? { 'If-None-Match': this.etag } : {} });
      if (response.status !== 304) {
        if (!response.ok) throw await problemOf(response);
        const map = (await response.json()) as SeatMap;
        this.etag = response.headers.get('ETag') ?? '';
        this.known = true;
        if (!this.ended) this.to.onMap(map);
      }
      this.failures = 0;
      this.to.onState('polling');
    } catch (error) {
      if (this.ended) return;
      const problem = error instanceof Problem ? error : new Problem(0, 'unknown', '');
      if (problem.status === 404) return this.to.onError(problem);
      this.failures += 1;
      this.to.onState('off');
      if (!this.known) this.to.onError(problem);
    }
    if (!this.ended) this.timer = setTimeout(() => void this.poll(), Math.min(poll_ms * 2 ** this.failures, retry_ms_max));
  }
}
