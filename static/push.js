// Push in this browser: enabled, disabled, and looked after at each visit.
(() => {
  const SECOND = 1000;
  const $ = (selector) => document.querySelector(selector);
  const { key, person, session } = document.currentScript.dataset;
  const mark = `${person}/${session}`; // whose push is enabled here, and since which login
  const isAble = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

  // Not before everything that is to be seen has arrived.
  const loaded = new Promise((resolve) => addEventListener("load", resolve, { once: true }));
  const registered = loaded.then(() => navigator.serviceWorker?.register("/sw.js"));
  registered.catch(() => {});

  function post(url, value) {
    const token = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
    const headers = { ...token, "Content-Type": "application/json" };
    return fetch(url, { method: "POST", headers, body: JSON.stringify(value) });
  }

  // --- The subscription ---

  async function current() {
    await registered;
    const { pushManager } = await navigator.serviceWorker.ready;
    return { pushManager, subscription: await pushManager.getSubscription() };
  }

  async function enable() {
    const { pushManager } = await current();
    await save(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  }

  async function save(subscription) {
    const answer = await post("/api/push/subscribe", subscription);
    if (!answer.ok) throw new Error(answer.status);
    localStorage.push = mark;
    document.dispatchEvent(new Event("push-enabled"));
  }

  async function disable() {
    delete localStorage.push;
    const { subscription } = await current();
    await subscription?.unsubscribe();
    return subscription;
  }

  // A changed key or a lost subscription is mended without asking; a device that was removed in
  // the list stays removed.
  async function lookAfter() {
    if (Notification.permission !== "granted") return;
    const { subscription } = await current();
    const isMine = localStorage.push?.startsWith(`${person}/`);
    if (!subscription) return isMine && enable();
    if (!isCurrent(subscription)) return subscription.unsubscribe().then(enable);
    if (isMine && !(await isListed(subscription))) return disable();
    if (localStorage.push !== mark) return save(subscription);
  }

  function isCurrent({ options }) {
    const bytes = new Uint8Array(options.applicationServerKey ?? []);
    const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
    return text.replaceAll("=", "") === key;
  }

  // Asked once for all pages of a tab.
  async function isListed({ endpoint }) {
    if (sessionStorage.pushListed === endpoint) return true;
    const answer = await fetch("/api/push/subscriptions");
    if (!answer.ok) return true;
    const { subscriptions } = await answer.json();
    const isThere = subscriptions.some((one) => one.endpoint === endpoint);
    if (isThere) sessionStorage.pushListed = endpoint;
    return isThere;
  }

  // Whoever logs in here next has not asked for push. The push service may be slow to answer.
  function takeLeave(event) {
    if (event.target.getAttribute("action") !== "/logout" || !localStorage.push) return;
    event.preventDefault();
    const patience = new Promise((resolve) => setTimeout(resolve, SECOND));
    Promise.race([disable().catch(() => {}), patience]).then(() => event.target.submit());
  }

  // --- The section of the preferences ---

  async function stateHere() {
    const isApple = /iPhone|iPad/.test(navigator.userAgent);
    const isPad = /^Mac/.test(navigator.platform) && navigator.maxTouchPoints > 1;
    if (!isSecureContext) return "insecure";
    if (!isAble) return isApple || isPad ? "ios" : "unsupported";
    if (Notification.permission === "denied") return "denied";
    if (Notification.permission === "default" || !localStorage.push) return "off";
    return (await current()).subscription ? "on" : "off";
  }

  async function show(state) {
    const now = state ?? (await stateHere());
    for (const element of $("#this-device").children)
      element.hidden = !element.dataset.state.split(" ").includes(now);
  }

  const change = (act) => async () => {
    try {
      await act();
      await show();
    } catch {
      await show("failed");
    }
    htmx.trigger("#device-list", "devices-changed");
  };

  // Not granted is no failure: the person has closed the question, or said no.
  async function enableHere() {
    if ((await Notification.requestPermission()) === "granted") await enable();
  }

  async function disableHere() {
    const { endpoint } = (await disable()) ?? {};
    if (endpoint) await post("/api/push/unsubscribe", { endpoint });
  }

  // ---

  const lookedAfter = isAble ? lookAfter().catch(() => {}) : null;
  document.addEventListener("submit", takeLeave);
  if ($("#this-device")) {
    $("#enable-push").addEventListener("click", change(enableHere));
    $("#disable-push").addEventListener("click", change(disableHere));
    lookedAfter ? lookedAfter.then(() => show()) : show();
  }
})();
