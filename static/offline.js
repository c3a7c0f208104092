// The service worker's other half: what it keeps for when the server cannot be reached.
const OFFLINE = "/offline";
const WORDS = "/push/words"; // for a push that has none, in the reader's language
const PATIENCE = 3000; // milliseconds

self.addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(keepOfflinePage().catch(() => {})); // pushes are shown also without it
});
self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([clients.claim(), registration.navigationPreload?.enable()]));
});
self.addEventListener("message", (event) => {
  event.waitUntil(keepWhatIsMissing().catch(() => {}));
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
  await Promise.all([cache.put(OFFLINE, page), cache.add(WORDS), cache.addAll(parts)]);
}

async function keepWhatIsMissing() {
  if (!(await caches.match(OFFLINE))) await keepOfflinePage();
}

async function askOr(kept, { preloadResponse, request }) {
  try {
    return (await preloadResponse) ?? (await fetch(request));
  } catch {
    return (await caches.match(kept)) ?? Response.error();
  }
}

async function words() {
  const answer = (await fetchInTime(WORDS)) ?? (await caches.match(WORDS).catch(() => {}));
  return answer?.text();
}

// Nothing where the answer is a failure, or does not come soon.
async function fetchInTime(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) }).catch(() => {});
  return answer?.ok ? answer : undefined;
}
