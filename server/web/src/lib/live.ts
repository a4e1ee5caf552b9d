// The seats of a show as they change: by WebSocket, else by Server-Sent Events, else by asking again with the ETag.
// Deltas name the LSN they build on; one that does not fit what is here makes the feed start over with a snapshot, so
// that the map never shows a mixture.

import { Problem, part, problemOf, raw, type SeatMap, type SeatStatus } from './api';

export type LiveState = 'live' | 'polling' | 'off';
export interface LiveListener {
  onMap(map: SeatMap): void;
  onChange(seats: Record<string, SeatStatus>, whole: boolean): void;
  onState(state: LiveState): void;
  onError(error: Problem): void;
}
interface Frame { type: 'snapshot' | 'delta'; lsn: number; prev_lsn?: number | null; seats: Record<string, SeatStatus> }

const poll_ms = 2000;
/** After so many times of asking the feed is tried again: it may have been full. */
const polls_per_try = 15;
const retry_ms_max = 15000;

export class LiveSeats {
  private lsn = -1;
  private etag = '';
  private socket: WebSocket | null = null;
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private polls = 0;
  private ended = false;

  constructor(private readonly show: string, private readonly to: LiveListener) {
    void this.start();
    document.addEventListener('visibilitychange', this.onVisible);
  }
  close(): void {
    this.ended = true;
    document.removeEventListener('visibilitychange', this.onVisible);
    this.drop();
  }
  /** Asks at once, after something that must have changed the map. */
  refresh(): void {
    if (!this.socket && !this.source) void this.poll(true);
  }

  private drop(): void {
    clearTimeout(this.timer);
    this.socket?.close();
    this.source?.close();
    this.socket = null;
    this.source = null;
  }
  private readonly onVisible = (): void => {
    if (document.visibilityState === 'visible' && !this.socket && !this.source) void this.poll(true);
  };

  private async start(): Promise<void> {
    if (await this.poll(false)) this.connect();
  }

  /** Returns: whether a map is here. */
  private async poll(again: boolean): Promise<boolean> {
    if (this.ended) return false;
    clearTimeout(this.timer);
    try {
      const response = await raw('GET', `/shows/${part(this.show)}/seats`, { headers: this.etag ? { 'If-None-Match': this.etag } : {} });
      if (response.status !== 304) {
        if (!response.ok) throw await problemOf(response);
        const map = (await response.json()) as SeatMap;
        this.etag = response.headers.get('ETag') ?? '';
        this.lsn = map.lsn;
        if (!this.ended) this.to.onMap(map);
      }
      this.failures = 0;
      if (again) {
        this.to.onState('polling');
        this.polls += 1;
        if (this.polls % polls_per_try === 0) {
          this.connect();
          return true;
        }
      }
    } catch (error) {
      if (this.ended) return false;
      const problem = error instanceof Problem ? error : new Problem(0, 'unknown', '');
      if (problem.status === 404) {
        this.to.onError(problem);
        return false;
      }
      this.failures += 1;
      this.to.onState('off');
      if (this.lsn < 0) this.to.onError(problem);
    }
    if (again || this.failures) this.timer = setTimeout(() => void (this.lsn < 0 ? this.start() : this.poll(true)), Math.min(poll_ms * 2 ** this.failures, retry_ms_max));
    return this.lsn >= 0 && !this.failures;
  }

  private connect(): void {
    if (this.ended) return;
    const path = `/shows/${part(this.show)}/live?from=${this.lsn}`;
    let opened = false;
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`);
    this.socket = socket;
    socket.onopen = () => {
      opened = true;
      this.failures = 0;
      this.to.onState('live');
    };
    socket.onmessage = (event) => this.onFrame(String(event.data));
    socket.onclose = () => {
      if (this.ended || this.socket !== socket) return;
      this.socket = null;
      if (!opened) return this.listen(path);
      this.again();
    };
  }
  private listen(path: string): void {
    const source = new EventSource(path);
    this.source = source;
    let opened = false;
    source.onopen = () => {
      opened = true;
      this.to.onState('live');
    };
    source.onmessage = (event) => this.onFrame(String(event.data));
    source.onerror = () => {
      if (this.ended || this.source !== source) return;
      source.close();
      this.source = null;
      if (opened) this.again();
      else void this.poll(true);
    };
  }
  private again(): void {
    this.failures += 1;
    this.to.onState('off');
    clearTimeout(this.timer);
    const wait = Math.min(300 * 2 ** this.failures, retry_ms_max) * (0.5 + Math.random());
    this.timer = setTimeout(() => void this.start(), wait);
  }

  private onFrame(text: string): void {
    let frame: Frame;
    try {
      frame = JSON.parse(text) as Frame;
    } catch {
      return;
    }
    if (!frame.seats || (frame.type !== 'snapshot' && frame.type !== 'delta')) return;
    if (frame.type === 'delta') {
      if (frame.lsn <= this.lsn) return;
      if (frame.prev_lsn !== this.lsn) {
        this.drop();
        this.etag = '';
        this.again();
        return;
      }
    }
    this.lsn = frame.lsn;
    this.to.onChange(frame.seats, frame.type === 'snapshot');
  }
}
