// Shows pushes, and a page of its own while the server cannot be reached.
const OFFLINE = "/offline";
const WORDS = "/push/words"; // for a push that has none
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
  if (mode === "navigate" && method === "GET") event.respondWith(askOr(OFFLINE, event));
  else if (destination === "style") event.respondWith(askOr(event.request, event));
});
self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
self.addEventListener("notificationclick", (event) => event.waitUntil(follow(event)));
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(subscribeAgain(event).catch(() => {})); // the next page looks after it
});
self.addEventListener("message", (event) => event.data === "tidy" && event.waitUntil(tidy()));

// --- Offline ---

async function keepOfflinePage() {
  const page = await fetch(OFFLINE);
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

// --- Pushes ---

// What has the wrong type is left out, and all of it where nothing can be read.
function read(data) {
  const told = {};
  try { Object.assign(told, data.json()); } catch {}
  for (const name of ["title", "body", "tag", "icon", "url"])
    if (typeof told[name] !== "string") delete told[name];
  for (const name of ["timestamp", "unread_count", "notification_id"])
    if (!Number.isSafeInteger(told[name]) || told[name] < 0) delete told[name];
  return told;
}

// One after another: Chromium loses what is just being put up while somebody reads what is there.
let last = Promise.resolve();
const inTurn = (act) => (last = last.then(act, act));
const put = (title, options) => inTurn(() => registration.showNotification(title, options));
const onScreen = () => inTurn(() => registration.getNotifications());

// Every push has to be shown, whatever is in it: browsers take the permission away else.
async function show({ title = "ClippyFront", url, unread_count, notification_id: id, ...told }) {
  const { body = await words(), tag, icon, timestamp, actions } = told;
  const data = { id, path: pathOf(url, id) };
  try {
    const renotify = Boolean(tag); // without a tag that is an error
    const options = { body, tag, renotify, icon, timestamp, data, actions: actions?.slice(0, 2) };
    await put(title, options);
  } catch {
    await put(title, { body, data });
  }
  await setBadge(unread_count);
  await tidy();
}

const words = () => caches.match(WORDS).then((kept) => kept?.text()).catch(() => {});

// A path of ours, whatever the push says: it may also name this server as it is called elsewhere.
function pathOf(url, id) {
  try {
    const { origin, pathname, search } = new URL(url ?? INBOX, location);
    if (origin === location.origin && !pathname.startsWith("//")) return pathname + search;
  } catch {}
  return id ? `${INBOX}/${id}` : INBOX;
}

async function setBadge(unread) {
  if (unread === undefined) return;
  await (unread ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.())?.catch(() => {});
}

// What has been read meanwhile, here or elsewhere, need not stay on the screen.
async function tidy() {
  const shown = (await onScreen()).filter(({ data }) => data?.id);
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
  const isRead = id ? markRead(id) : true;
  await Promise.allSettled([isRead, action !== "read" && open(path ?? INBOX)]);
  if (action === "read" && !(await isRead)) await showAgain(notification);
  else await tidy();
}

// Whether nothing is left to be done: there may be no such notice any more.
async function markRead(id) {
  const asked = fetch(`/push/${id}/read`, { method: "POST", redirect: "error" });
  const { ok, status } = await asked.catch(() => ({}));
  return ok || status === 404;
}

// Offline or signed out: nothing is lost, and whoever wanted it read sees that it is not.
function showAgain({ title, body, tag, icon, timestamp, actions, data }) {
  return put(title, { body, tag, icon, timestamp, actions, data, silent: true });
}

// A tab that is not controlled from here could only be focused, and then the click is spent.
async function open(path) {
  const tabs = await clients.matchAll({ type: "window" });
  const tab = tabs.find(({ visibilityState }) => visibilityState === "visible") ?? tabs[0];
  if (!tab) return clients.openWindow(path);
  return tab.focus().then(() => tab.navigate(path));
}

async function subscribeAgain({ oldSubscription: old }) {
  const { key, csrf_token } = await (await fetch("/push/state", { redirect: "error" })).json();
  const headers = { "X-CSRF-Token": csrf_token };
  const post = (url, body) => fetch(url, { method: "POST", headers, body, redirect: "error" });
  const json = (value) => new Blob([JSON.stringify(value)], { type: "application/json" });
  if (old) {
    const { endpoint } = old;
    const answer = await post("/push/subscription", new URLSearchParams({ endpoint }));
    const { state } = await answer.json();
    if (state === "removed") return; // from the list, and so it stays
    if (state !== "unknown") await post("/api/push/unsubscribe", json({ endpoint }));
  }
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const subscription = await registration.pushManager.subscribe(options);
  await post("/api/push/subscribe", json(subscription));
}
