// Keeps the gate's page on the device, so that it opens without a network. Asks the network first, so that a new version
// is taken at once; what the API answers is never kept.

declare const KEPT: string[];
declare const VERSION: string;
interface WorkerScope {
  addEventListener(type: string, listener: (event: any) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  location: Location;
}
const worker = self as unknown as WorkerScope;
const shelf = `usher-gate-${VERSION}`;

worker.addEventListener('install', (event) => event.waitUntil(caches.open(shelf).then((cache) => cache.addAll(KEPT)).then(() => worker.skipWaiting())));
worker.addEventListener('activate', (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith('usher-gate-') && name !== shelf) await caches.delete(name);
  await worker.clients.claim();
})()));
worker.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url as string);
  if (event.request.method !== 'GET' || origin !== worker.location.origin || !KEPT.includes(pathname)) return;
  event.respondWith(fetch(event.request).catch(async () => (await caches.match(pathname)) ?? Response.error()));
});
