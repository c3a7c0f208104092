// The devices among the preferences: what holds in this browser, and the buttons that change it.
(() => {
  const $ = (selector) => document.querySelector(selector);
  let list = $("#device-list");

  async function stateHere() {
    const isApple = /iPhone|iPad/.test(navigator.userAgent);
    const isPad = /^Mac/.test(navigator.platform) && navigator.maxTouchPoints > 1;
    if (!isSecureContext) return "insecure";
    if (!push.isAble) return isApple || isPad ? "ios" : "unsupported";
    if (Notification.permission === "denied") return "denied";
    const isOn = localStorage.push && localStorage.push !== push.OFF;
    if (Notification.permission === "default" || !isOn) return "off";
    if (sessionStorage.pushRefused) return "refused";
    return (await push.current()).subscription ? "on" : "off";
  }

  async function show(state, sentence = sessionStorage.pushRefused) {
    const now = state ?? (await stateHere());
    for (const element of $("#this-device").children)
      element.hidden = !element.dataset.state.split(" ").includes(now);
    $("#push-refusal").textContent = sentence ?? "";
  }

  const change = (act) => async () => {
    try {
      await act();
      await show();
    } catch ({ state, message }) {
      await show(state ?? "failed", message);
    }
  };

  // Not granted is no failure: the person has closed the question, or said no.
  async function enable() {
    if ((await Notification.requestPermission()) !== "granted") return;
    delete localStorage.push;
    await push.enable();
  }

  // Either is enough: that the server sends nothing, or that the browser takes nothing.
  async function disable() {
    localStorage.push = push.OFF;
    const { subscription } = await push.current();
    if (!subscription) return;
    const told = push.tell("/api/push/unsubscribe", { endpoint: subscription.endpoint });
    await told.catch(() => {});
    await push.disable().catch(() => told);
    refresh();
  }

  function refresh() {
    htmx.trigger("#device-list", "devices-changed");
  }

  // This device may be among those that were removed, or found lost.
  async function lookAgain() {
    if (list === $("#device-list")) return;
    list = $("#device-list");
    await push.look();
    await show();
  }

  $("#enable-push").addEventListener("click", change(enable));
  $("#disable-push").addEventListener("click", change(disable));
  document.addEventListener("push-enabled", refresh);
  document.addEventListener("htmx:finally:swap", lookAgain);
  push.lookedAfter.then(() => show());
})();
