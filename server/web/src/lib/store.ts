// What the browser remembers for the visitor: the city, and what is under way. Nothing here decides anything: the server
// is asked about every reservation before it is shown.

const read = (box: Storage, name: string): any => {
  try {
    return JSON.parse(box.getItem(`usher.${name}`) ?? 'null');
  } catch {
    return null;
  }
};
const write = (box: Storage, name: string, value: unknown): void => {
  try {
    if (value === null) box.removeItem(`usher.${name}`);
    else box.setItem(`usher.${name}`, JSON.stringify(value));
  } catch { /* a full or forbidden store only forgets */ }
};

export const city = {
  get: (): string | null => read(localStorage, 'city'),
  set: (id: string): void => write(localStorage, 'city', id),
};

/** A reservation of this visitor that may still run. */
export interface Held { id: string; expires: number }
const heldListeners = new Set<() => void>();
export const held = {
  get(): Held | null {
    const value = read(localStorage, 'held') as Held | null;
    return value && value.expires > Date.now() ? value : null;
  },
  set(value: Held | null): void {
    write(localStorage, 'held', value);
    heldListeners.forEach((tell) => tell());
  },
  watch(tell: () => void): () => void {
    heldListeners.add(tell);
    return () => void heldListeners.delete(tell);
  },
};

/** A payment that was sent: after a reload the same request is sent again, and takes effect once. */
export interface Payment { key: string; body: Record<string, string>; sent: number }
export const payment = {
  get: (reservation: string): Payment | null => read(sessionStorage, `pay.${reservation}`),
  set: (reservation: string, value: Payment | null): void => write(sessionStorage, `pay.${reservation}`, value),
};

/** The waiting room's admission for a show, handed along with a reserve. */
export const admission = {
  get: (show: string): string | null => read(sessionStorage, `admission.${show}`),
  set: (show: string, token: string | null): void => write(sessionStorage, `admission.${show}`, token),
};
export const queuePlace = {
  get: (show: string): string | null => read(localStorage, `queue.${show}`),
  set: (show: string, id: string | null): void => write(localStorage, `queue.${show}`, id),
};
