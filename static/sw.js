// The service worker: shows pushes, and closes notifications that were read. A classic script: not
// every browser runs a module here, and its URL never changes.
importScripts("/offline.js");

const INBOX = "/notifications";
const MOST_IDS = 100;
const readState = async () => (await fetch("/push/state", { redirect: "error" })).json();
const post = (url, csrf_token, body) =>
  fetch(url, { method: "POST", headers: { "X-CSRF-Token": csrf_token }, body, redirect: "error" });

self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
self.addEventListener("notificationclick", (event) => event.waitUntil(follow(event)));
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(renew(event).catch(() => {})); // the next page tries again
});
self.addEventListener("message", (event) => {
  if (event.data === "close-read") event.waitUntil(closeRead());
  if (event.data === "close-all") event.waitUntil(closeAll());
});

// --- Pushes ---

// Leaves out members of the wrong type, and all of them if the payload is not JSON.
function read(data) {
  const payload = {};
  try { Object.assign(payload, data.json()); } catch {}
  for (const name of ["title", "body", "tag", "icon", "image", "url"])
    if (typeof payload[name] !== "string") delete payload[name];
  for (const name of ["timestamp", "unread_count", "notification_id"])
    if (!Number.isSafeInteger(payload[name]) || payload[name] < 0) delete payload[name];
  return payload;
}

// Shows every push, even a malformed one: otherwise browsers withdraw the permission.
async function show({ title = "ClippyFront", url, unread_count, notification_id: id, ...payload }) {
  const { body = await words().catch(() => {}), tag, timestamp, actions } = payload;
  const data = { id, path: pathOf(url, id) };
  try {
    const renotify = Boolean(tag); // without a tag that is an error
    const options = { body, tag, renotify, timestamp, data, actions: actions?.slice(0, 2) };
    const pictures = await Promise.all([iconOf(payload), imageOf(payload)]);
    await put(title, Object.assign(options, ...pictures));
  } catch {
    await put(title, { body, data });
  }
  await setBadge(unread_count);
  await closeRead();
}

// Only one that loads: browsers wait up to 90 seconds for an icon before they show anything.
const iconOf = async ({ icon }) => (icon && (await fetchInTime(icon)) ? { icon } : {});

// The picture of a video, fetched here as the user: it is private, and the browser might ask for it
// without cookies.
async function imageOf({ image }) {
  const response = image && (await fetchInTime(pathOf(image)));
  if (!response?.headers.get("Content-Type")?.startsWith("image/")) return {};
  const reader = new FileReader();
  reader.readAsDataURL(await response.blob());
  await new Promise((resolve) => (reader.onloadend = resolve));
  return reader.result ? { image: reader.result } : {};
}

// A path on this server. The push may know the server by another name, or contain any other URL.
function pathOf(url, id) {
  try {
    const { origin, pathname, search } = new URL(url ?? INBOX, location);
    if (origin === location.origin && !pathname.startsWith("//")) return pathname + search;
  } catch {}
  return id ? `${INBOX}/${id}` : INBOX;
}

const setBadge = async (unread) =>
  unread !== undefined && navigator.setAppBadge?.(unread).catch(() => {}); // not every browser has one

// --- On the screen ---

// One at a time: Chromium loses a notification that is put up while another call reads the list.
let last = Promise.resolve();
const inTurn = (act) => (last = last.then(act, act));
const put = (title, options) => inTurn(() => registration.showNotification(title, options));
const onScreen = (act = (all) => all) => inTurn(() => registration.getNotifications().then(act));
const close = (which) => onScreen((all) => all.filter(which).forEach((one) => one.close()));
const closeAll = () => close(() => true).then(() => setBadge(0));

// Closes notifications that were read, here or elsewhere. Compares again while closing: a
// notification that has taken the place of another has its tag, and would be closed with it.
async function closeRead() {
  const ids = (await onScreen()).flatMap(({ data }) => data?.id ?? []).slice(-MOST_IDS);
  if (!ids.length) return;
  const response = await fetch(`/push/unread?ids=${ids}`, { redirect: "error" }).catch(() => null);
  if (!response?.ok) return;
  const { unread, unread_count } = await response.json();
  await close(({ data }) => ids.includes(data?.id) && !unread.includes(data.id));
  await setBadge(unread_count);
}

// --- Clicks ---

async function follow({ notification, action }) {
  const { id, path } = notification.data ?? {};
  notification.close();
  const isRead = id ? markRead(id) : true;
  await Promise.allSettled([isRead, action !== "read" && open(path ?? INBOX)]);
  if (action === "read" && !(await isRead)) await showAgain(notification);
  else await closeRead();
}

// Whether the notification is now read or deleted.
async function markRead(id) {
  const request = readState().then(({ csrf_token }) => post(`/push/${id}/read`, csrf_token));
  const { ok, status } = await request.catch(() => ({}));
  return ok || status === 404;
}

// Offline or signed out, "Mark as read" fails: the notification comes back, silently.
async function showAgain({ title, body, tag, timestamp, actions, data, image, ...shown }) {
  const icon = await iconOf(shown);
  const options = { body, tag, timestamp, actions, data, image, silent: true, ...icon };
  await inTurn(async () => {
    const isReplaced = tag && (await registration.getNotifications({ tag })).length;
    if (!isReplaced) await registration.showNotification(title, options);
  });
}

// Focuses before navigating: a tab that this service worker does not control cannot be navigated,
// and by then the click no longer allows a new window.
async function open(path) {
  const tabs = await clients.matchAll({ type: "window" });
  const tab = tabs.find(({ visibilityState }) => visibilityState === "visible") ?? tabs[0];
  if (!tab) return clients.openWindow(path);
  return tab.focus().then(() => tab.navigate(path));
}

// --- The subscription ---

async function renew({ oldSubscription: old }) {
  const { key, csrf_token } = await readState();
  const json = (value) => new Blob([JSON.stringify(value)], { type: "application/json" });
  if (old) {
    const { endpoint } = old, body = new URLSearchParams({ endpoint });
    const { state } = await (await post("/push/subscription", csrf_token, body)).json();
    if (state === "removed") return; // by the user, and so it stays
    if (state !== "unknown") await post("/api/push/unsubscribe", csrf_token, json({ endpoint }));
  }
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const subscription = await registration.pushManager.subscribe(options);
  await post("/api/push/subscribe", csrf_token, json(subscription));
}
