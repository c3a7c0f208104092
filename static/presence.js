// Says when a page is looked at, so that devices stay quiet, and when something was read, so that
// it leaves the screen.
(() => {
  const SECOND = 1000;
  const EVERY = 20 * SECOND;
  const A_MOMENT = SECOND / 2; // in which the page before takes its leave
  const UNTOUCHED = 300 * SECOND; // then the page may be open where nobody sits
  const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
  const post = (url, body) => fetch(url, { method: "POST", headers, body, keepalive: true });

  let isWanted = true; // the server says when there is no device that could stay quiet
  let isEnabledHere = false; // since then there is one, whatever an older answer says
  let touchedAt = Date.now();
  let saidAt = 0;

  async function say(isVisible) {
    if (!isWanted) return;
    saidAt = isVisible ? Date.now() : 0;
    const body = new URLSearchParams({ visible: isVisible ? 1 : 0 });
    const answer = await post("/push/presence", body).catch(() => null);
    if (answer?.ok) isWanted = (await answer.json()).is_wanted || isEnabledHere;
  }

  function sayIfLookedAt() {
    const isTouched = Date.now() - touchedAt < UNTOUCHED;
    if (!document.hidden && isTouched && Date.now() - saidAt >= EVERY) say(true);
  }

  function touch() {
    touchedAt = Date.now();
  }

  function turn() {
    touch();
    if (document.hidden) return say(false);
    saidAt = Date.now() - EVERY + A_MOMENT; // not before, or its leave is what was said last
    setTimeout(sayIfLookedAt, A_MOMENT);
  }

  // Also where it does not control this page, as after a forced reload.
  async function tidy() {
    const registration = await navigator.serviceWorker?.ready;
    registration?.active.postMessage("tidy");
  }

  let tidying;
  function tidySoon() {
    clearTimeout(tidying);
    tidying = setTimeout(tidy, A_MOMENT);
  }

  // What a browser has shown by itself leads here with this, and has been read.
  function readWhatLedHere() {
    const [, id] = location.hash.match(/^#read-(\d+)$/) ?? [];
    if (!id) return;
    history.replaceState(null, "", location.pathname + location.search);
    post(`/push/${id}/read`).catch(() => {});
  }

  for (const name of ["pointerdown", "keydown", "wheel"])
    addEventListener(name, touch, { passive: true, capture: true });
  document.addEventListener("visibilitychange", turn);
  document.addEventListener("notifications-changed", tidySoon);
  document.addEventListener("push-enabled", () => {
    isWanted = isEnabledHere = true;
    say(true);
  });
  addEventListener("pagehide", () => saidAt && say(false));
  setTimeout(sayIfLookedAt, A_MOMENT);
  setInterval(sayIfLookedAt, SECOND);
  readWhatLedHere();
  tidySoon(); // what was read while no page was open
})();
