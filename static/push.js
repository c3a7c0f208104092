// Push in this browser, checked at each visit; push_settings.js lets users enable and disable it.
import { $, SECOND, on, post } from "./base.js";

export const OFF = "off";
export const isSupported =
  "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const { user, session, pushKey: key } = document.body.dataset;
// localStorage.push: the user and the login that enabled push here; or OFF, until it is enabled again.
const owner = `${user}/${session}`;
export const isOn = () => Boolean(localStorage.push) && localStorage.push !== OFF;

// Not before everything visible has loaded.
const loaded = new Promise((resolve) => addEventListener("load", resolve, { once: true }));
const registered = loaded.then(() => navigator.serviceWorker?.register("/sw.js"));
registered.catch(() => {});

// Rejects with a `state` to show, and with the server's own sentence if it sent one.
export async function send(url, value) {
  const body = new Blob([JSON.stringify(value)], { type: "application/json" });
  const response = await post(url, body).catch(() => null);
  if (response?.ok) return;
  const { detail, errors } = (await response?.json().catch(() => null)) ?? {};
  const sentence = errors?.find(({ field }) => field === "endpoint")?.detail ?? detail;
  const state = sentence ? "refused" : "away";
  throw Object.assign(new Error(sentence), { state, status: response?.status });
}

// --- The subscription ---

export async function current() {
  await registered;
  const { pushManager } = await navigator.serviceWorker.ready;
  return { pushManager, subscription: await pushManager.getSubscription() };
}

export async function enable() {
  const { pushManager, subscription } = await current();
  if (subscription && !hasOurKey(subscription)) await subscription.unsubscribe();
  await save(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
}

async function save(subscription) {
  delete sessionStorage.pushRefused;
  await send("/api/push/subscribe", subscription).catch((error) => {
    if (error.status === 400) sessionStorage.pushRefused = error.message; // and would be again
    throw error;
  });
  if (localStorage.push === OFF) return; // disabled meanwhile
  localStorage.push = owner;
  localStorage.pushEndpoint = subscription.endpoint;
  document.dispatchEvent(new Event("push-enabled"));
}

export async function disable() {
  localStorage.push = OFF;
  document.dispatchEvent(new Event("push-disabled"));
  const { subscription } = await current();
  await subscription?.unsubscribe();
}

// Restores a lost subscription without asking, but never one that was disabled: here, or by removing
// this device from the list in any browser.
async function restore() {
  if (Notification.permission !== "granted") return;
  if (localStorage.push === OFF) return disable(); // which may have failed
  if (sessionStorage.pushRefused) return;
  const { subscription } = await current();
  const saved = localStorage.pushEndpoint ?? subscription?.endpoint;
  const isMine = localStorage.push?.startsWith(`${user}/`);
  const state = isMine && saved && (await stateOf(saved));
  if (state === "removed") return disable();
  if (!subscription) return isMine && enable();
  if (!isMine) return startAnew(subscription);
  const isSaved = subscription.endpoint === saved; // else the service worker has renewed it
  const isLost = isSaved && state === "unknown";
  if (isLost) await subscription.unsubscribe();
  if (isLost || !hasOurKey(subscription)) return enable();
  if (!isSaved || state === "failing" || localStorage.push !== owner) return save(subscription);
}

// What its push service still holds was sent to the user before. Saving it first ends it for them.
async function startAnew(subscription) {
  await save(subscription);
  await send("/api/push/unsubscribe", { endpoint: subscription.endpoint });
  await subscription.unsubscribe();
  return enable();
}

function hasOurKey({ options }) {
  const bytes = new Uint8Array(options.applicationServerKey ?? []);
  const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
  return text.replaceAll("=", "") === key;
}

// Requested once for all pages of a tab, and wherever the devices are listed. One that is failing is
// saved again only once: otherwise the failure would never show.
async function stateOf(endpoint) {
  const isKnown = sessionStorage.pushAsked === endpoint;
  if (isKnown && !$("#this-device")) return "enabled";
  const response = await post("/push/subscription", new URLSearchParams({ endpoint }));
  const { state } = await response.json();
  sessionStorage.pushAsked = endpoint;
  return isKnown && state === "failing" ? "enabled" : state;
}

// The next user of this browser has not asked for push. The push service may be slow to respond.
function logOut(event) {
  if (event.target.getAttribute("action") !== "/logout" || !isOn()) return;
  event.preventDefault();
  const timeout = new Promise((resolve) => setTimeout(resolve, SECOND));
  Promise.race([disable().catch(() => {}), timeout]).then(() => event.target.submit());
}

export const check = async () => isSupported && restore().catch(() => {});
export const checked = check();
on("submit", logOut);
