// The service worker's other half: what it shows while the server cannot be reached.
const OFFLINE = "/offline";
const WORDS = "/push/words"; // for a push that has none

self.addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(keepOfflinePage().catch(() => {})); // pushes are shown also without it
});
self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([clients.claim(), registration.navigationPreload?.enable()]));
});
self.addEventListener("fetch", (event) => {
  const { mode, method, destination } = event.request;
  if (mode === "navigate" && method === "GET") event.respondWith(askOr(OFFLINE, event));
  else if (destination === "style") event.respondWith(askOr(event.request, event));
});

async function keepOfflinePage() {
  const page = await fetch(OFFLINE);
  if (!page.ok) return;
  const text = await page.clone().text();
  const parts = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, path]) => path);
  const cache = await caches.open("offline");
  await Promise.all([cache.put(OFFLINE, page), cache.addAll([WORDS, ...parts])]);
}

async function askOr(kept, { preloadResponse, request }) {
  try {
    return (await preloadResponse) ?? (await fetch(request));
  } catch {
    return (await caches.match(kept)) ?? Response.error();
  }
}

const words = () => caches.match(WORDS).then((kept) => kept?.text()).catch(() => {});
