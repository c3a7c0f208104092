// One stream for all tabs of a person, and the same words in every tab.
// The tab that holds the Web Lock owns the stream and passes every message on; the others swap the
// same text. Without locks (plain http on another host) each visible tab streams for itself.
(() => {
  const SECOND = 1000;
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const stream = $("#stream");

  // --- Taking turns at the stream ---

  let channel, queue, resign, knocking; // knocking: this tab owns the stream
  let connection;
  let silence, banner, asking, etag = "";

  function join() {
    if (channel || (document.hidden && !navigator.locks)) return;
    const name = `clippyfront-stream-${stream.dataset.person}`;
    channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => receive(data);
    heard();
    lost();
    if (!navigator.locks) return lead();
    queue = new AbortController();
    navigator.locks.request(name, { signal: queue.signal }, lead).catch(() => {}); // on leaving
    setTimeout(async () => knocking || ((await ask()) && heard()), SECOND / 4);
  }

  function lead() {
    const knock = () => htmx.trigger(stream, "lead"); // does nothing while connected
    knocking = setInterval(knock, 5 * SECOND);
    knock();
    return new Promise((resolve) => (resign = resolve));
  }

  function leave() {
    stopWaiting();
    clearInterval(knocking);
    knocking = null;
    connection?.reader?.cancel();
    queue?.abort();
    resign?.();
    channel?.close();
    channel = null;
  }

  function receive({ event, data }) {
    if (event !== "stream-lost") heard();
    if (event) htmx.trigger(stream, event, { data });
    else swap(data);
  }

  function swap(text) {
    htmx.swap({ sourceElement: stream, text, swap: "none" });
  }

  function passOn({ event, data }) {
    if (navigator.locks) channel?.postMessage({ event, data });
  }

  function tell(event) {
    receive({ event });
    passOn({ event });
  }

  // --- While there is no stream ---

  function lost() {
    banner ??= setTimeout(() => ($("#offline").hidden = false), 10 * SECOND);
  }

  // A stream says something every 20 seconds; a server gone without a word is known by its silence.
  function heard() {
    stopWaiting();
    silence = setTimeout(fallBack, 45 * SECOND);
  }

  function fallBack() {
    connection?.reader?.cancel(); // it connects again
    lost();
    ask();
    asking = setInterval(ask, 60 * SECOND);
  }

  function stopWaiting() {
    clearTimeout(silence);
    clearInterval(asking);
    banner = clearTimeout(banner);
    $("#offline").hidden = true;
  }

  // What happened since this page was rendered; says whether the server answered.
  async function ask() {
    const headers = { "HX-Request": "true", "HX-Request-Type": "partial", "If-None-Match": etag };
    const url = `/notifications/bell?since=${$("#bell").dataset.position}`;
    const signal = AbortSignal.timeout(30 * SECOND);
    const answer = await fetch(url, { headers, signal, redirect: "manual" }).catch(() => ({}));
    if (answer.status === 401) signedOut();
    if (answer.status === 200) {
      etag = answer.headers.get("ETag") ?? "";
      swap(await answer.text());
      htmx.trigger(stream, "notifications-changed");
    }
    return [200, 204, 304].includes(answer.status);
  }

  // A reload leads to the login; what somebody has typed is worth more than that.
  function signedOut() {
    const fields = all("main :is(input, textarea):not([type=checkbox], [type=radio])");
    const isTyping = fields.some((field) => field.value !== field.defaultValue);
    if (isTyping || sessionStorage.getItem("reloaded")) return;
    sessionStorage.setItem("reloaded", "yes");
    location.reload();
  }

  function keepJoined() {
    const on = (name, listener) => stream.addEventListener(name, listener);
    on("htmx:sse:before:connection", (event) => {
      if (!knocking) event.preventDefault();
      else if (event.detail.connection.attempt) tell("stream-lost");
    });
    on("htmx:sse:after:connection", ({ detail }) => {
      connection = detail.connection;
      sessionStorage.removeItem("reloaded");
      tell("stream-found");
    });
    on("htmx:sse:before:message", ({ detail }) => (heard(), passOn(detail.message)));
    on("htmx:sse:error", ({ detail }) => detail.status === 401 && signedOut());
    on("htmx:response:error", ({ detail }) => detail.ctx.response.status === 401 && signedOut());
    on("htmx:response:error", () => tell("stream-lost"));
    on("htmx:error", () => tell("stream-lost"));
    on("stream-lost", lost);
    // A network that is gone does not say so on the stream; one that is back is not waited for.
    addEventListener("offline", () => connection?.reader?.cancel());
    addEventListener("online", () => connection?.delayCanceller?.());
    addEventListener("pagehide", leave);
    addEventListener("pageshow", (event) => event.persisted && join());
    if (!navigator.locks)
      document.addEventListener("visibilitychange", () => (document.hidden ? leave() : join()));
    document.addEventListener("DOMContentLoaded", join); // after htmx has looked at the page
  }

  keepJoined();
})();
