// Push in this browser, looked after at each visit. devices.js lets people enable and disable it.
const push = (() => {
  const SECOND = 1000;
  const OFF = "off";
  const $ = (selector) => document.querySelector(selector);
  const { key, person, session } = document.currentScript.dataset;
  // In localStorage.push: whose push is enabled here, and since which login; or OFF, and so it stays.
  const mark = `${person}/${session}`;
  const isAble = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

  // Not before everything that is to be seen has arrived.
  const loaded = new Promise((resolve) => addEventListener("load", resolve, { once: true }));
  const registered = loaded.then(() => navigator.serviceWorker?.register("/sw.js"));
  registered.catch(() => {});

  function post(url, body) {
    const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
    return fetch(url, { method: "POST", headers, body });
  }

  // Throws a `state` to show, with the server's own sentence where it has said one.
  async function tell(url, value) {
    const body = new Blob([JSON.stringify(value)], { type: "application/json" });
    const answer = await post(url, body).catch(() => null);
    if (answer?.ok) return;
    const { detail, errors } = (await answer?.json().catch(() => null)) ?? {};
    const sentence = errors?.find(({ field }) => field === "endpoint")?.detail ?? detail;
    const state = sentence ? "refused" : "away";
    throw Object.assign(new Error(sentence), { state, status: answer?.status });
  }

  // --- The subscription ---

  async function current() {
    await registered;
    const { pushManager } = await navigator.serviceWorker.ready;
    return { pushManager, subscription: await pushManager.getSubscription() };
  }

  async function enable() {
    const { pushManager, subscription } = await current();
    if (subscription && !isCurrent(subscription)) await subscription.unsubscribe();
    await save(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  }

  async function save(subscription) {
    delete sessionStorage.pushRefused;
    await tell("/api/push/subscribe", subscription).catch((trouble) => {
      if (trouble.status === 400) sessionStorage.pushRefused = trouble.message; // and would be again
      throw trouble;
    });
    if (localStorage.push === OFF) return; // meanwhile
    localStorage.push = mark;
    localStorage.pushEndpoint = subscription.endpoint;
    document.dispatchEvent(new Event("push-enabled"));
  }

  async function disable() {
    localStorage.push = OFF;
    document.dispatchEvent(new Event("push-disabled"));
    const { subscription } = await current();
    await subscription?.unsubscribe();
  }

  // Whatever was lost is mended without asking. What somebody has turned off stays off: here, or by
  // removing this device in the list, from whatever browser.
  async function lookAfter() {
    if (Notification.permission !== "granted") return;
    if (localStorage.push === OFF) return disable(); // it may have failed
    if (sessionStorage.pushRefused) return;
    const { subscription } = await current();
    const saved = localStorage.pushEndpoint ?? subscription?.endpoint;
    const isMine = localStorage.push?.startsWith(`${person}/`);
    const state = isMine && saved && (await stateOf(saved));
    if (state === "removed") return disable();
    if (!subscription) return isMine && enable();
    const isSaved = subscription.endpoint === saved; // or the service worker has renewed it
    const isLost = isSaved && state === "unknown";
    if (isLost) await subscription.unsubscribe();
    if (isLost || !isCurrent(subscription)) return enable();
    if (!isSaved || state === "failing" || localStorage.push !== mark) return save(subscription);
  }

  function isCurrent({ options }) {
    const bytes = new Uint8Array(options.applicationServerKey ?? []);
    const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
    return text.replaceAll("=", "") === key;
  }

  // Asked once for all pages of a tab, but wherever the devices are shown. One that fails is tried
  // again only once, or nobody could see that it does.
  async function stateOf(endpoint) {
    const wasAsked = sessionStorage.pushAsked === endpoint;
    if (wasAsked && !$("#this-device")) return "enabled";
    const answer = await post("/push/subscription", new URLSearchParams({ endpoint }));
    const { state } = await answer.json();
    sessionStorage.pushAsked = endpoint;
    return wasAsked && state === "failing" ? "enabled" : state;
  }

  // Whoever logs in here next has not asked for push. The push service may be slow to answer.
  function takeLeave(event) {
    const isOn = localStorage.push && localStorage.push !== OFF;
    if (event.target.getAttribute("action") !== "/logout" || !isOn) return;
    event.preventDefault();
    const patience = new Promise((resolve) => setTimeout(resolve, SECOND));
    Promise.race([disable().catch(() => {}), patience]).then(() => event.target.submit());
  }

  const look = async () => isAble && lookAfter().catch(() => {});
  document.addEventListener("submit", takeLeave);
  return { OFF, isAble, lookedAfter: look(), look, current, enable, disable, tell };
})();
