// Calls of the API (DESIGN 7), with what they answer. Every error is a Problem with the server's stable code; what never
// reached the server has the code `offline`.

export interface Money { amount: number; currency: string }
export interface Movie {
  movie_id: string; title: string; description: string | null; duration_minutes: number; genre: string | null;
  language: string | null; release_date: string | null; rating: string | null; cast: string[]; keywords: string[];
}
export interface Theater {
  theater_id: string; name: string; chain: string | null; city: string; city_id: string; address: string | null;
  latitude: number; longitude: number; time_zone: string; distance_km?: number;
}
export interface Screen { screen_id: string; name: string; total_seats: number }
export interface Show {
  show_id: string; movie_id: string; theater_id: string; screen_id: string; start_time: string; end_time: string;
  time_zone: string; price_standard: Money; price_premium: Money; status: 'scheduled' | 'cancelled' | 'completed';
  available_seats?: number; total_seats: number;
}
export interface ShowPage extends Show { movie: Movie; theater: Theater; screen: Screen }
export interface City { city_id: string; name: string; time_zone: string; theaters: number }
export type SeatStatus = 'available' | 'reserved' | 'booked';
export interface Seat {
  seat_id: string; row: string; number: number; type: string; x: number; y: number; price: Money; status: SeatStatus;
}
export interface SeatMap {
  show_id: string; lsn: number; status: Show['status']; start_time: string; end_time: string; time_zone: string;
  total_seats: number; available_seats: number; reserved_seats: number; booked_seats: number;
  focal_point: { x: number; y: number }; seats: Seat[];
}
export interface Reservation {
  reservation_id: string; show_id: string; status: string; seat_ids: string[]; total_amount: Money; reserved_at: string;
  expires_at: string; expires_in_ms: number; server_time: string; lsn: number;
}
export interface Ticket { ticket_id: string; seat_id: string; price: Money; qr_code: string; status: 'valid' | 'used' | 'cancelled' }
export interface Booking {
  booking_id: string; reservation_id: string; status: string; show_id: string; total_amount: Money; refunded_amount: Money;
  payment_id: string; booked_at: string; tickets: Ticket[];
}
export interface Facet { value: string; count: number }
export interface MovieList {
  movies: Movie[]; next_cursor: string | null; corrected?: string; facets?: { genre: Facet[]; language: Facet[] };
}
export interface Suggestion { movie_id: string; title: string; genre: string; release_date: string | null }

export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, readonly detail: string, readonly body: Record<string, any> = {}) {
    super(detail || code);
  }
}

let bearer = '';
/** Who asks, where it is not the visitor's own session: for the console and the gate. */
export function setToken(token: string): void {
  bearer = token;
}

/** `text`: sent as it is, under the Content-Type among `headers`; `body`: sent as JSON. */
export interface Options { body?: unknown; text?: string; key?: string; signal?: AbortSignal; headers?: Record<string, string> }

export async function raw(method: string, path: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...options.headers };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.key) headers['Idempotency-Key'] = options.key;
  if (bearer) headers['Authorization'] = `Bearer ${bearer}`;
  try {
    return await fetch(path, {
      method, headers, signal: options.signal, credentials: 'same-origin',
      body: options.body === undefined ? options.text : JSON.stringify(options.body),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, 'offline', '');
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  let body: Record<string, any> = {};
  try {
    body = await response.json();
  } catch { /* not from Usher, but from something in between */ }
  return new Problem(response.status, body.code ?? 'unknown', body.detail ?? body.title ?? '', body);
}

export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await raw(method, path, options);
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => call<T>('GET', path, { signal });
export const post = <T>(path: string, body: unknown, key?: string, headers?: Record<string, string>): Promise<T> =>
  call<T>('POST', path, { body, key, headers });

export const postText = <T>(path: string, text: string, type: string): Promise<T> =>
  call<T>('POST', path, { text, headers: { 'Content-Type': type } });

export const query = (fields: Record<string, string | number | undefined>): string => {
  const parts = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return parts.length ? '?' + parts.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&') : '';
};
export const part = encodeURIComponent;

/** A key that says "the same request again" (Idempotency-Key). */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
