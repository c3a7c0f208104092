// Shows pushes, and a page of its own while the server cannot be reached.
const CACHE = "offline";
const OFFLINE = "/offline";
const NAME = "ClippyFront";
const INBOX = "/notifications";

self.addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(keepOfflinePage().catch(() => {})); // pushes are shown also without it
});
self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([clients.claim(), registration.navigationPreload?.enable()]));
});
self.addEventListener("fetch", (event) => {
  const { mode, method, destination } = event.request;
  if (mode === "navigate" && method === "GET") event.respondWith(navigate(event));
  else if (destination === "style") event.respondWith(fetchOrKept(event.request));
});
self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
self.addEventListener("notificationclick", (event) => event.waitUntil(follow(event)));
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribeAgain()));
self.addEventListener("message", (event) => {
  if (event.data === "tidy") event.waitUntil(tidy());
});

// --- Offline ---

async function keepOfflinePage() {
  const page = await fetch(OFFLINE);
  const text = await page.clone().text();
  const parts = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, path]) => path);
  const cache = await caches.open(CACHE);
  await Promise.all([cache.put(OFFLINE, page), cache.addAll(parts)]);
}

async function navigate({ preloadResponse, request }) {
  try {
    return (await preloadResponse) ?? (await fetch(request));
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}

async function fetchOrKept(request) {
  return fetch(request).catch(async () => (await caches.match(request)) ?? Response.error());
}

// --- Pushes ---

// Every push has to be shown, also one that cannot be read: browsers take the permission away else.
function read(data) {
  try {
    const told = data.json();
    if (typeof told.title === "string") return told;
  } catch {}
  return { title: NAME, body: "Something new has happened." };
}

async function show({ title, body, tag, icon, timestamp, actions, url, unread_count, notification_id }) {
  await registration.showNotification(title, {
    body,
    tag,
    renotify: Boolean(tag), // without a tag that is an error
    icon,
    timestamp,
    actions: (actions ?? []).slice(0, 2),
    data: { id: notification_id, path: pathOf(url) },
  });
  await setBadge(unread_count);
  await tidy();
}

// Where to go is a path of ours, whatever the push says.
function pathOf(url = INBOX) {
  const { pathname, search } = new URL(URL.canParse(url, location) ? url : INBOX, location);
  return pathname + search;
}

async function setBadge(unread) {
  if (!Number.isInteger(unread)) return;
  await (unread ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.())?.catch(() => {});
}

// What has been read meanwhile, here or elsewhere, need not stay on the screen.
async function tidy() {
  const shown = (await registration.getNotifications()).filter(({ data }) => data?.id);
  if (!shown.length) return;
  const ids = shown.map(({ data }) => data.id);
  const answer = await fetch(`/push/unread?ids=${ids}`, { redirect: "error" }).catch(() => null);
  if (!answer?.ok) return;
  const { unread, unread_count } = await answer.json();
  shown.filter(({ data }) => !unread.includes(data.id)).forEach((one) => one.close());
  await setBadge(unread_count);
}

async function follow({ notification, action }) {
  const { id, path } = notification.data ?? {};
  notification.close();
  await Promise.all([id && markRead(id), action !== "read" && open(path ?? INBOX)]);
}

async function markRead(id) {
  await fetch(`/push/${id}/read`, { method: "POST", redirect: "error" }).catch(() => {});
  await tidy();
}

async function open(path) {
  const tabs = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const tab = tabs.find(({ visibilityState }) => visibilityState === "visible") ?? tabs[0];
  try {
    await tab.focus();
    await tab.navigate(path);
  } catch {
    await clients.openWindow(path); // there is none, or it may not be navigated
  }
}

async function subscribeAgain() {
  const answer = await fetch("/push/state", { redirect: "error" });
  const { key, csrf_token } = await answer.json();
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: key,
  });
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf_token };
  const body = JSON.stringify(subscription);
  await fetch("/api/push/subscribe", { method: "POST", headers, body });
}
