// The seat map itself: an SVG that is built once and then changed seat by seat, so that a hall of thousands stays quick.
// Every state has its own shape, so that nothing depends on telling colours apart: free is an empty outline, premium has a
// bar, taken a cross, held is dashed, yours is filled with a tick.
//
// Keyboard: one tab stop; arrow keys go to the nearest seat that way, Home and End to the ends of the row, space or enter
// chooses. Pointer: a tap near a seat takes it, a drag moves the map, two fingers or the wheel with Ctrl zoom.

import type { Seat, SeatStatus } from '../lib/api';

const svgNames = 'http://www.w3.org/2000/svg';
const tap_px = 8;

export interface SeatCanvasOptions {
  label: string;
  stage: string;
  nameOf(seat: Seat, chosen: boolean): string;
  onToggle(seat: Seat): void;
}
interface Box { x: number; y: number; w: number; h: number }

export class SeatCanvas {
  readonly root: SVGSVGElement;
  private readonly nodes = new Map<string, SVGGElement>();
  private readonly seats: Seat[];
  private readonly byId = new Map<string, Seat>();
  private readonly unit: number;
  private readonly whole: Box;
  private box: Box;
  private current: Seat | null = null;
  private readonly pointers = new Map<number, { x: number; y: number }>();
  private dragged = 0;
  private chosen = new Set<string>();

  constructor(seats: Seat[], focal: { x: number; y: number }, private readonly options: SeatCanvasOptions) {
    this.seats = seats.map((seat) => ({ ...seat }));
    this.seats.forEach((seat) => this.byId.set(seat.seat_id, seat));
    this.unit = spacing(this.seats);
    this.whole = this.bounds(focal);
    this.box = { ...this.whole };
    this.root = document.createElementNS(svgNames, 'svg');
    this.root.setAttribute('class', 'seats');
    this.root.setAttribute('role', 'group');
    this.root.setAttribute('aria-label', options.label);
    this.draw();
    this.applyBox();
    this.listen();
    this.current = this.seats.find((seat) => seat.status === 'available') ?? this.seats[0] ?? null;
    if (this.current) this.nodes.get(this.current.seat_id)?.setAttribute('tabindex', '0');
  }

  /** Takes over what the server says. Returns: the chosen seats that somebody else has now. */
  update(seats: Record<string, SeatStatus>, whole: boolean): string[] {
    const lost: string[] = [];
    for (const seat of this.seats) {
      const next = seats[seat.seat_id] ?? (whole ? 'available' : undefined);
      if (next === undefined || next === seat.status) continue;
      seat.status = next;
      if (next !== 'available' && this.chosen.delete(seat.seat_id)) lost.push(seat.seat_id);
      this.paint(seat, true);
    }
    return lost;
  }
  choose(ids: Iterable<string>): void {
    const before = this.chosen;
    this.chosen = new Set(ids);
    for (const id of new Set([...before, ...this.chosen])) {
      const seat = this.byId.get(id);
      if (seat && before.has(id) !== this.chosen.has(id)) this.paint(seat, false);
    }
  }
  seat(id: string): Seat | undefined {
    return this.byId.get(id);
  }
  all(): readonly Seat[] {
    return this.seats;
  }
  free(): number {
    return this.seats.reduce((count, seat) => count + (seat.status === 'available' ? 1 : 0), 0);
  }
  /** Texts have changed language. */
  rename(): void {
    this.seats.forEach((seat) => this.paint(seat, false));
  }

  zoom(factor: number, atX = 0.5, atY = 0.5): void {
    const w = Math.min(this.whole.w, Math.max(this.unit * 6, this.box.w / factor));
    const h = (this.box.h * w) / this.box.w;
    this.box.x += (this.box.w - w) * atX;
    this.box.y += (this.box.h - h) * atY;
    this.box.w = w;
    this.box.h = h;
    this.applyBox();
  }
  fit(): void {
    this.box = { ...this.whole };
    this.applyBox();
  }

  private bounds(focal: { x: number; y: number }): Box {
    const xs = this.seats.map((seat) => seat.x);
    const ys = this.seats.map((seat) => seat.y);
    const left = Math.min(...bound(xs, Math.min), focal.x);
    const right = Math.max(...bound(xs, Math.max), focal.x);
    const top = Math.min(...bound(ys, Math.min), Math.max(focal.y, Math.min(...bound(ys, Math.min)) - this.unit * 3));
    const bottom = Math.max(...bound(ys, Math.max));
    const margin = this.unit * 1.3;
    return { x: left - margin - this.unit, y: top - margin, w: right - left + 2 * margin + 2 * this.unit, h: bottom - top + 2 * margin };
  }

  private draw(): void {
    const u = this.unit;
    const front = Math.min(...bound(this.seats.map((seat) => seat.y), Math.min));
    const width = this.whole.w * 0.62;
    const middle = this.whole.x + this.whole.w / 2;
    const y = front - u * 1.9;
    const stage = element('g', { class: 'stage', 'aria-hidden': 'true' });
    stage.append(element('path', { d: `M${middle - width / 2} ${y + u * 0.5}Q${middle} ${y - u * 0.5} ${middle + width / 2} ${y + u * 0.5}`, class: 'stage-line', 'stroke-width': u * 0.16 }));
    const text = element('text', { x: middle, y: y + u * 0.75, 'font-size': u * 0.5, 'text-anchor': 'middle', class: 'stage-text' });
    text.textContent = this.options.stage;
    stage.append(text);
    this.root.append(stage);
    const rows = new Map<string, Seat[]>();
    for (const seat of this.seats) {
      const list = rows.get(seat.row);
      if (list) list.push(seat);
      else rows.set(seat.row, [seat]);
    }
    for (const [name, list] of rows) {
      const left = list.reduce((a, b) => (a.x < b.x ? a : b));
      const right = list.reduce((a, b) => (a.x > b.x ? a : b));
      for (const [x, yy] of [[left.x - u * 0.95, left.y], [right.x + u * 0.95, right.y]]) {
        const mark = element('text', { x, y: yy + u * 0.17, 'font-size': u * 0.48, 'text-anchor': 'middle', class: 'row-name', 'aria-hidden': 'true' });
        mark.textContent = name;
        this.root.append(mark);
      }
    }
    for (const seat of this.seats) {
      const node = element('g', { transform: `translate(${seat.x} ${seat.y}) scale(${u / 10})`, role: 'checkbox', tabindex: '-1' }) as SVGGElement;
      node.dataset.seat = seat.seat_id;
      this.nodes.set(seat.seat_id, node);
      this.root.append(node);
      this.paint(seat, false);
    }
  }

  private paint(seat: Seat, changed: boolean): void {
    const node = this.nodes.get(seat.seat_id);
    if (!node) return;
    const chosen = this.chosen.has(seat.seat_id);
    node.setAttribute('class', `seat is-${chosen ? 'chosen' : seat.status} kind-${seat.type}`);
    node.setAttribute('aria-checked', String(chosen));
    if (seat.status === 'available' || chosen) node.removeAttribute('aria-disabled');
    else node.setAttribute('aria-disabled', 'true');
    node.setAttribute('aria-label', this.options.nameOf(seat, chosen));
    node.replaceChildren(...shapeOf(seat, chosen));
    if (changed && !matchMedia('(prefers-reduced-motion: reduce)').matches) {
      node.firstElementChild?.animate?.([{ opacity: 0.2 }, { opacity: 1 }], { duration: 500 });
    }
  }

  private applyBox(): void {
    const { w, h } = this.box;
    const limit = (at: number, from: number, size: number, window: number): number =>
      window >= size ? from + (size - window) / 2 : Math.min(Math.max(at, from), from + size - window);
    this.box.x = limit(this.box.x, this.whole.x, this.whole.w, w);
    this.box.y = limit(this.box.y, this.whole.y, this.whole.h, h);
    this.root.setAttribute('viewBox', `${this.box.x} ${this.box.y} ${w} ${h}`);
    this.root.classList.toggle('is-zoomed', w < this.whole.w * 0.99);
  }

  // ---- pointer and keyboard ----

  private listen(): void {
    const root = this.root;
    root.addEventListener('pointerdown', (event) => {
      this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      this.dragged = this.pointers.size > 1 ? tap_px + 1 : 0;
    });
    root.addEventListener('pointermove', (event) => this.onMove(event));
    const end = (event: PointerEvent): void => {
      const began = this.pointers.delete(event.pointerId);
      if (began && event.type === 'pointerup' && this.dragged <= tap_px && this.pointers.size === 0) this.onTap(event);
    };
    root.addEventListener('pointerup', end);
    root.addEventListener('pointercancel', end);
    root.addEventListener('pointerleave', end);
    root.addEventListener('wheel', (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const frame = root.getBoundingClientRect();
      this.zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, (event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height);
    }, { passive: false });
    root.addEventListener('keydown', (event) => this.onKey(event));
    root.addEventListener('focusin', (event) => {
      const seat = this.byId.get((event.target as SVGElement).dataset.seat ?? '');
      if (seat) this.makeCurrent(seat);
    });
  }

  private scale(): number {
    const frame = this.root.getBoundingClientRect();
    return Math.max(this.box.w / frame.width, this.box.h / frame.height);
  }
  private onMove(event: PointerEvent): void {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const dx = event.clientX - last.x;
    const dy = event.clientY - last.y;
    const zoomed = this.box.w < this.whole.w * 0.99;
    if (this.pointers.size === 1) {
      this.dragged += Math.abs(dx) + Math.abs(dy);
      if (zoomed && this.dragged > tap_px) {
        this.box.x -= dx * this.scale();
        this.box.y -= dy * this.scale();
        this.applyBox();
      }
    } else if (this.pointers.size === 2) {
      const other = [...this.pointers.entries()].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const before = Math.hypot(last.x - other.x, last.y - other.y);
        const after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
        const frame = this.root.getBoundingClientRect();
        if (before > 0) this.zoom(after / before, ((event.clientX + other.x) / 2 - frame.left) / frame.width, ((event.clientY + other.y) / 2 - frame.top) / frame.height);
      }
    }
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }
  private onTap(event: PointerEvent): void {
    const matrix = this.root.getScreenCTM();
    if (!matrix) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    const reach = Math.max(this.unit * 0.6, 14 * this.scale());
    let best: Seat | null = null;
    let nearest = reach;
    for (const seat of this.seats) {
      const away = Math.hypot(seat.x - at.x, seat.y - at.y);
      if (away < nearest) {
        nearest = away;
        best = seat;
      }
    }
    if (!best) return;
    this.makeCurrent(best);
    this.options.onToggle(best);
  }
  private onKey(event: KeyboardEvent): void {
    if (!this.current) return;
    if (event.key === ' ' || event.key === 'Enter') {
      event.preventDefault();
      this.options.onToggle(this.current);
      return;
    }
    const next = this.neighbour(this.current, event.key);
    if (!next) return;
    event.preventDefault();
    this.makeCurrent(next);
    this.nodes.get(next.seat_id)?.focus();
    this.reveal(next);
  }
  private neighbour(from: Seat, key: string): Seat | null {
    const row = this.seats.filter((seat) => seat.row === from.row).sort((a, b) => a.x - b.x);
    if (key === 'Home') return row[0];
    if (key === 'End') return row[row.length - 1];
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (!way) return null;
    let best: Seat | null = null;
    let least = Infinity;
    for (const seat of this.seats) {
      const along = (seat.x - from.x) * way[0] + (seat.y - from.y) * way[1];
      const across = Math.abs((seat.x - from.x) * way[1]) + Math.abs((seat.y - from.y) * way[0]);
      if (along <= 0.01) continue;
      const cost = along + 3 * across;
      if (cost < least) {
        least = cost;
        best = seat;
      }
    }
    return best;
  }
  private makeCurrent(seat: Seat): void {
    if (this.current) this.nodes.get(this.current.seat_id)?.setAttribute('tabindex', '-1');
    this.current = seat;
    this.nodes.get(seat.seat_id)?.setAttribute('tabindex', '0');
  }
  private reveal(seat: Seat): void {
    const { x, y, w, h } = this.box;
    const margin = this.unit * 1.5;
    if (seat.x < x + margin || seat.x > x + w - margin) this.box.x = seat.x - w / 2;
    if (seat.y < y + margin || seat.y > y + h - margin) this.box.y = seat.y - h / 2;
    this.applyBox();
  }
}

/** Math.min and Math.max take arguments from the stack: a list of thousands is folded first. */
const bound = (values: number[], pick: (a: number, b: number) => number): number[] => [values.length ? values.reduce((a, b) => pick(a, b)) : 0];

/** The distance between neighbours: the least between two seats of one row. */
function spacing(seats: Seat[]): number {
  const last = new Map<string, number[]>();
  for (const seat of seats) {
    const xs = last.get(seat.row);
    if (xs) xs.push(seat.x);
    else last.set(seat.row, [seat.x]);
  }
  let least = Infinity;
  for (const xs of last.values()) {
    xs.sort((a, b) => a - b);
    for (let i = 1; i < xs.length; ++i) if (xs[i] - xs[i - 1] > 0) least = Math.min(least, xs[i] - xs[i - 1]);
  }
  return Number.isFinite(least) ? least : 10;
}

function element(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(svgNames, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** The picture of a seat within -5..5, the same in the map and in the legend. */
export function shapeOf(seat: { type: string; status: SeatStatus }, chosen: boolean): SVGElement[] {
  const shapes = [element('rect', { x: -4.1, y: -4.1, width: 8.2, height: 8.2, rx: 2.4, class: 'seat-body' })];
  if (chosen) shapes.push(element('path', { d: 'M-2 .2-.6 1.700 2.200-1.600', class: 'seat-mark' }));
  else if (seat.status === 'booked') shapes.push(element('path', { d: 'M-1.800-1.800 1.800 1.800M1.800-1.800-1.800 1.800', class: 'seat-mark' }));
  else if (seat.status === 'reserved') shapes.push(element('circle', { r: 1.1, class: 'seat-dot' }));
  else if (seat.type === 'premium') shapes.push(element('rect', { x: -2.3, y: 1.3, width: 4.6, height: 1.2, rx: 0.6, class: 'seat-dot' }));
  else if (seat.type === 'accessible') shapes.push(element('path', { d: 'M-.4-2.800a.8.8 0 1 1 0 .01M-.6-1.200V1H1.200L2 2.600M-1.300-.2A2 2 0 1 0 1.200 2', class: 'seat-mark' }));
  else if (seat.type === 'companion') shapes.push(element('path', { d: 'M0-1.800V1.800M-1.800 0H1.800', class: 'seat-mark' }));
  else if (seat.type === 'obstructed') shapes.push(element('path', { d: 'M-2 2 2-2', class: 'seat-mark' }));
  return shapes;
}
