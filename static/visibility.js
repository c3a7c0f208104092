// Reports whether a page is in view: while one is, no ordinary push is sent.
import { SECOND, on, post } from "./base.js";

const INTERVAL = 20 * SECOND;
const MOMENT = SECOND / 2; // in which the previous page can report that it was left
const IDLE = 300 * SECOND; // without input, the screen may be unattended

let isWanted = true; // until the server answers that the user has no device
let isEnabledHere = false; // push was enabled since, whatever an older answer says
let touchedAt = Date.now();
let reportedAt = 0;

async function report(isVisible) {
  if (!isWanted) return;
  reportedAt = isVisible ? Date.now() : 0;
  const body = new URLSearchParams({ visible: Number(isVisible) });
  const response = await post("/push/visibility", body, { keepalive: true }).catch(() => null);
  if (response?.ok) isWanted = (await response.json()).is_wanted || isEnabledHere;
}

function reportVisible() {
  const isAttended = !document.hidden && Date.now() - touchedAt < IDLE;
  if (isAttended && Date.now() - reportedAt >= INTERVAL) report(true);
}

function touch() {
  touchedAt = Date.now();
}

function turn() {
  touch();
  if (document.hidden) return report(false);
  reportedAt = Date.now() - INTERVAL + MOMENT; // report after that moment
}

for (const name of ["pointerdown", "keydown", "wheel"])
  addEventListener(name, touch, { passive: true, capture: true });
on("visibilitychange", turn);
on("push-enabled", () => {
  isWanted = isEnabledHere = true;
  report(true);
});
addEventListener("pagehide", () => reportedAt && report(false));
setInterval(reportVisible, MOMENT);
