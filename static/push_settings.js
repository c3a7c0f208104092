// Push in the notification settings: its state in this browser, and the buttons that change it.
import { $, $$, SECOND, on } from "./base.js";
import * as push from "./push.js";

const TIMEOUT = 20 * SECOND; // a push service that cannot be reached may never say so
let list = $("#device-list");
let isFocusInList;
let changing; // the state to show until a change is over

async function currentState() {
  const isApple = /iPhone|iPad/.test(navigator.userAgent);
  const isPad = /^Mac/.test(navigator.platform) && navigator.maxTouchPoints > 1;
  if (!isSecureContext) return "insecure";
  if (!push.isSupported) return isApple || isPad ? "ios" : "unsupported";
  if (Notification.permission === "denied") return "denied";
  if (Notification.permission === "default" || !push.isOn()) return "off";
  if (sessionStorage.pushRefused) return "refused";
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ? "on" : "off";
}

async function show(state, sentence = sessionStorage.pushRefused) {
  const current = state ?? (await currentState());
  const shown = changing ?? current;
  const focused = document.activeElement?.closest("#this-device > *");
  for (const part of $$("#this-device > *"))
    part.hidden = !part.dataset.state.split(" ").includes(shown);
  for (const button of $$("#this-device button"))
    button.setAttribute("aria-disabled", Boolean(changing)); // `disabled` would take the focus
  $("#push-refusal").textContent = sentence ?? "";
  if (focused?.hidden) ($("#this-device > :not([hidden]) button") ?? $("#devices-title")).focus();
}

const change = (act, meanwhile) => async () => {
  if (changing) return;
  changing = meanwhile;
  await show(meanwhile);
  const error = await act().catch((reason) => reason);
  changing = null;
  await show(error && (error.state ?? "failed"), error?.message);
};

function inTime(promise) {
  const expire = (_, reject) => setTimeout(reject, TIMEOUT, new Error());
  return Promise.race([promise, new Promise(expire)]);
}

// A missing permission is not a failure: the user has dismissed or denied the request.
async function enable() {
  if ((await Notification.requestPermission()) !== "granted") return;
  delete localStorage.push;
  await inTime(push.enable());
}

// Either is enough: that the server sends nothing more, or that the browser accepts nothing more.
async function disable() {
  localStorage.push = push.OFF;
  const { subscription } = await inTime(push.current());
  if (!subscription) return;
  const { endpoint } = subscription;
  const onServer = inTime(push.send("/api/push/unsubscribe", { endpoint }));
  const inBrowser = inTime(push.disable());
  await Promise.allSettled([onServer, inBrowser]);
  htmx.trigger("#device-list", "devices-changed");
  await inBrowser.catch(() => onServer);
}

// Another swap may begin before the list's has ended and its focus is already lost.
function noteFocus() {
  if (list.isConnected) isFocusInList = list.contains(document.activeElement);
}

const newsIn = (devices) =>
  [...devices.querySelectorAll("[data-news]")].map(({ dataset }) => dataset.news);

// This device may be among those that were removed or found to be gone.
async function followList() {
  const before = list;
  list = $("#device-list");
  if (list === before) return;
  const news = newsIn(list).filter((sentence) => !newsIn(before).includes(sentence));
  if (news.length) $("#device-news").textContent = news.join(" ");
  if (isFocusInList && document.activeElement === document.body) $("#devices-title").focus();
  await inTime(push.check()).catch(() => {});
  await show();
}

$("#enable-push").addEventListener("click", change(enable, "enabling"));
$("#disable-push").addEventListener("click", change(disable, "disabling"));
on("push-disabled", () => show());
on("htmx:before:swap", noteFocus);
on("htmx:finally:swap", followList);
push.checked.then(() => show());
show().then(() => $("#this-device").setAttribute("aria-live", "polite")); // the first state is no news
