// One stream for all tabs of a user. The tab that holds the Web Lock, the leader, opens it and passes
// every message on; the other tabs swap the same text. Without locks (plain HTTP from another machine)
// each visible tab opens a stream of its own.
import { $, SECOND, on } from "./base.js";
import { fetchBell, isRefusal } from "./refusal.js";

const stream = $("#stream");
const name = `clippyfront-stream-${document.body.dataset.user}`;
const { locks } = navigator;

// --- Who opens the stream ---

let channel, queue, resign, opening; // opening: the timer of the leader
let connection;
let silence, banner, polling, etag = "";

function join() {
  if (channel || (document.hidden && !locks)) return;
  channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => receive(data);
  heard();
  lost();
  if (!locks) return lead();
  queue = new AbortController();
  locks.request(name, { signal: queue.signal }, lead).catch(() => {}); // aborted by leaving
  setTimeout(async () => opening || ((await poll()) && heard()), SECOND / 4);
}

function lead() {
  const open = () => htmx.trigger(stream, "lead"); // does nothing while it is open
  opening = setInterval(open, 5 * SECOND);
  open();
  return new Promise((resolve) => (resign = resolve));
}

function leave() {
  stopWaiting();
  opening = clearInterval(opening);
  connection?.reader?.cancel();
  queue?.abort();
  resign?.();
  channel = channel?.close();
}

// --- Messages reach every tab, and so does the state of the stream ---

const swap = (text) => htmx.swap({ sourceElement: stream, text, swap: "none" });
const passOn = (message) => locks && channel?.postMessage(message);

function receive({ event, data }) {
  if (!["stream-lost", "stream-refused"].includes(event)) heard();
  if (event) htmx.trigger(stream, event, { data });
  else swap(data);
}

function report(event, data) {
  receive({ event, data });
  passOn({ event, data });
}

// --- While there is no stream ---

function lost() {
  banner ??= setTimeout(() => ($("#offline").hidden = false), 10 * SECOND);
}

// The server sends something every 20 seconds: silence means that it is gone.
function heard() {
  stopWaiting();
  silence = setTimeout(fallBack, 45 * SECOND);
}

function fallBack() {
  connection?.reader?.cancel(); // htmx connects again
  htmx.trigger(stream, "stream-lost");
  poll();
  polling = setInterval(poll, 60 * SECOND);
}

function stopWaiting() {
  clearTimeout(silence);
  clearInterval(polling);
  banner = clearTimeout(banner);
  $("#offline").hidden = true;
}

// Fetches what happened since this page was rendered; resolves to whether the server responded.
async function poll() {
  const response = await fetchBell(etag);
  if (isRefusal(response.status)) htmx.trigger(stream, "stream-refused", { data: response.status });
  if (response.status === 200) {
    etag = response.headers.get("ETag") ?? "";
    swap(await response.text());
    htmx.trigger(stream, "notifications-changed");
  }
  if (polling) htmx.trigger(stream, "page-outdated");
  return [200, 204, 304].includes(response.status);
}

// --- Events ---

const refused = (status) => isRefusal(status) && report("stream-refused", status);
const listen = (event, listener) => stream.addEventListener(event, ({ detail }) => listener(detail));

listen("htmx:sse:before:connection", ({ connection }) => {
  if (!opening) connection.cancelled = true;
  else if (connection.attempt) report("stream-lost");
});
listen("htmx:sse:after:connection", (opened) => {
  connection = opened.connection;
  report("stream-found");
});
listen("htmx:sse:before:message", ({ message }) => (heard(), passOn(message)));
listen("htmx:sse:error", ({ status }) => refused(status));
listen("htmx:response:error", ({ ctx }) => refused(ctx.response.status));
listen("htmx:response:error", () => report("stream-lost"));
listen("htmx:error", () => report("stream-lost"));
listen("stream-lost", lost);
// The stream itself does not notice that the network is down, and retries late when it is back.
addEventListener("offline", () => connection?.reader?.cancel());
addEventListener("online", () => connection?.delayCanceller?.());
addEventListener("pagehide", leave);
addEventListener("pageshow", ({ persisted }) => persisted && join());
if (!locks) on("visibilitychange", () => (document.hidden ? leave() : join()));
on("DOMContentLoaded", join); // after htmx, which listened first, has processed the page
