// Shows pushes, and takes off the screen what was read.
importScripts("/offline.js");

const INBOX = "/notifications";
const MOST_ASKED = 100;

self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
self.addEventListener("notificationclick", (event) => event.waitUntil(follow(event)));
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(subscribeAgain(event).catch(() => {})); // the next page looks after it
});
self.addEventListener("message", (event) => {
  if (event.data === "tidy") event.waitUntil(tidy());
  if (event.data === "clear") event.waitUntil(clear());
});

// --- What comes ---

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

// Every push has to be shown, whatever is in it: browsers take the permission away else.
async function show({ title = "ClippyFront", url, unread_count, notification_id: id, ...told }) {
  const { body = await words().catch(() => {}), tag, timestamp, actions } = told;
  const data = { id, path: pathOf(url, id) };
  try {
    const renotify = Boolean(tag); // without a tag that is an error
    const options = { body, tag, renotify, timestamp, data, actions: actions?.slice(0, 2) };
    await put(title, { ...options, ...(await iconOf(told)) });
  } catch {
    await put(title, { body, data });
  }
  await setBadge(unread_count);
  await tidy();
}

// Only if it is there: browsers wait up to 90 seconds for an icon, and show nothing before.
async function iconOf({ icon }) {
  return icon && (await fetchInTime(icon)) ? { icon } : {};
}

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

// --- What is on the screen ---

// One after another: Chromium loses what is just being put up while somebody reads what is there.
let last = Promise.resolve();
const inTurn = (act) => (last = last.then(act, act));
const put = (title, options) => inTurn(() => registration.showNotification(title, options));
const onScreen = (act = (all) => all) => inTurn(() => registration.getNotifications().then(act));
const takeOff = (which) => onScreen((all) => all.filter(which).forEach((one) => one.close()));

// What has been read meanwhile, here or elsewhere, need not stay. Looked at again before it is
// closed: what has taken its place has its tag, and would be closed with it.
async function tidy() {
  const ids = (await onScreen()).flatMap(({ data }) => data?.id ?? []).slice(-MOST_ASKED);
  if (!ids.length) return;
  const answer = await fetch(`/push/unread?ids=${ids}`, { redirect: "error" }).catch(() => null);
  if (!answer?.ok) return;
  const { unread, unread_count } = await answer.json();
  const isRead = ({ data }) => ids.includes(data?.id) && !unread.includes(data.id);
  await takeOff(isRead);
  await setBadge(unread_count);
}

// Whoever comes to this browser next reads nothing of who has left it.
async function clear() {
  await takeOff(() => true);
  await setBadge(0);
}

// --- What is clicked ---

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
async function showAgain({ title, body, tag, timestamp, actions, data, ...told }) {
  const options = { body, tag, timestamp, actions, data, silent: true, ...(await iconOf(told)) };
  await inTurn(async () => {
    const isReplaced = tag && (await registration.getNotifications({ tag })).length;
    if (!isReplaced) await registration.showNotification(title, options);
  });
}

// A tab that is not controlled from here could only be focused, and then the click is spent.
async function open(path) {
  const tabs = await clients.matchAll({ type: "window" });
  const tab = tabs.find(({ visibilityState }) => visibilityState === "visible") ?? tabs[0];
  if (!tab) return clients.openWindow(path);
  return tab.focus().then(() => tab.navigate(path));
}

// --- The subscription ---

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
