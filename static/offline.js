// Part of the service worker: caches what it shows while the server is unreachable.
const OFFLINE = "/offline";
const WORDS = "/push/words"; // for a push without any, in the reader's language
const TIMEOUT = 3000; // milliseconds

self.addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(keepOfflinePage().catch(() => {})); // pushes are shown without it too
});
self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([clients.claim(), registration.navigationPreload?.enable()]));
});
self.addEventListener("message", (event) => {
  event.waitUntil(keepWhatIsMissing().catch(() => {}));
});
self.addEventListener("fetch", (event) => {
  const { mode, method, destination } = event.request;
  if (mode === "navigate" && method === "GET") event.respondWith(fetchOr(OFFLINE, event));
  else if (destination === "style") event.respondWith(fetchOr(event.request, event));
});

async function keepWhatIsMissing() {
  if (!(await caches.match(OFFLINE))) await keepOfflinePage();
}

async function keepOfflinePage() {
  const page = await fetch(OFFLINE);
  if (!page.ok) return;
  const html = await page.clone().text();
  const assets = [...html.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, path]) => path);
  const cache = await caches.open("offline");
  await Promise.all([cache.put(OFFLINE, page), cache.add(WORDS), cache.addAll(assets)]);
}

async function fetchOr(kept, { preloadResponse, request }) {
  try {
    return (await preloadResponse) ?? (await fetch(request));
  } catch {
    return (await caches.match(kept)) ?? Response.error();
  }
}

async function words() {
  const response = (await fetchInTime(WORDS)) ?? (await caches.match(WORDS).catch(() => {}));
  return response?.text();
}

// Nothing when the response is a failure or takes too long.
async function fetchInTime(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) }).catch(() => {});
  return response?.ok ? response : undefined;
}
