// The devices among the preferences: what holds in this browser, and the buttons that change it.
(() => {
  const SECOND = 1000;
  const PATIENCE = 20 * SECOND; // a push service that cannot be reached may never say so
  const $ = (selector) => document.querySelector(selector);
  const here = $("#this-device");
  let list = $("#device-list");
  let isFocusInList;
  let changing; // the state that is shown until a change is over

  async function stateHere() {
    const isApple = /iPhone|iPad/.test(navigator.userAgent);
    const isPad = /^Mac/.test(navigator.platform) && navigator.maxTouchPoints > 1;
    if (!isSecureContext) return "insecure";
    if (!push.isAble) return isApple || isPad ? "ios" : "unsupported";
    if (Notification.permission === "denied") return "denied";
    const isOn = localStorage.push && localStorage.push !== push.OFF;
    if (Notification.permission === "default" || !isOn) return "off";
    if (sessionStorage.pushRefused) return "refused";
    const registration = await navigator.serviceWorker.getRegistration();
    return (await registration?.pushManager.getSubscription()) ? "on" : "off";
  }

  async function show(state, sentence = sessionStorage.pushRefused) {
    const found = state ?? (await stateHere());
    const now = changing ?? found;
    const focused = document.activeElement?.closest("#this-device > *");
    for (const element of here.children)
      element.hidden = !element.dataset.state.split(" ").includes(now);
    for (const button of here.querySelectorAll("button"))
      button.setAttribute("aria-disabled", Boolean(changing)); // disabled, it would lose the focus
    $("#push-refusal").textContent = sentence ?? "";
    const instead = $("#this-device > :not([hidden]) button") ?? $("#devices-title");
    if (focused?.hidden) instead.focus();
  }

  const change = (act, meanwhile) => async () => {
    if (changing) return;
    changing = meanwhile;
    await show(meanwhile);
    const trouble = await act().catch((error) => error);
    changing = null;
    await show(trouble && (trouble.state ?? "failed"), trouble?.message);
  };

  function inTime(promise) {
    const over = (_, reject) => setTimeout(reject, PATIENCE, new Error());
    return Promise.race([promise, new Promise(over)]);
  }

  // Not granted is no failure: the person has closed the question, or said no.
  async function enable() {
    if ((await Notification.requestPermission()) !== "granted") return;
    delete localStorage.push;
    await inTime(push.enable());
  }

  // Either is enough: that the server sends nothing, or that the browser takes nothing.
  async function disable() {
    localStorage.push = push.OFF;
    const { subscription } = await inTime(push.current());
    if (!subscription) return;
    const { endpoint } = subscription;
    const told = inTime(push.tell("/api/push/unsubscribe", { endpoint }));
    const given = inTime(push.disable());
    await Promise.allSettled([told, given]);
    refresh();
    await given.catch(() => told);
  }

  function refresh() {
    htmx.trigger("#device-list", "devices-changed");
  }

  // Another swap may begin before that of the list is over, whose focus is gone by then.
  function noteFocus() {
    if (list.isConnected) isFocusInList = list.contains(document.activeElement);
  }

  const wordsIn = (devices) =>
    [...devices.querySelectorAll("[data-news]")].map(({ dataset }) => dataset.news);

  // This device may be among those that were removed, or found lost.
  async function lookAgain() {
    const before = list;
    list = $("#device-list");
    if (list === before) return;
    const news = wordsIn(list).filter((words) => !wordsIn(before).includes(words));
    if (news.length) $("#device-news").textContent = news.join(" ");
    if (isFocusInList && document.activeElement === document.body) $("#devices-title").focus();
    await inTime(push.look()).catch(() => {});
    await show();
  }

  $("#enable-push").addEventListener("click", change(enable, "enabling"));
  $("#disable-push").addEventListener("click", change(disable, "disabling"));
  document.addEventListener("push-enabled", refresh);
  document.addEventListener("push-disabled", () => show());
  document.addEventListener("htmx:before:swap", noteFocus);
  document.addEventListener("htmx:finally:swap", lookAgain);
  push.lookedAfter.then(() => show());
  show().then(() => here.setAttribute("aria-live", "polite")); // what a page begins with is no news
})();
