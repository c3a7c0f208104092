// Relative times: a <time> whose title holds its full form shows "5 minutes ago" instead.
import { $$, SECOND, on } from "./base.js";

const UNITS = Object.entries({ day: 86400, hour: 3600, minute: 60, second: 1 }); // in seconds
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });

function update() {
  for (const time of $$("time[title]")) time.textContent = age(time.dateTime) ?? time.title;
}

// Nothing after 30 days.
function age(moment) {
  const seconds = (new Date(moment) - Date.now()) / SECOND;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  const count = Math.trunc(seconds / size) || (seconds > 0 ? 1 : -1); // "joined now" reads wrong
  return unit === "day" && Math.abs(count) > 30 ? undefined : relative.format(count, unit);
}

on("htmx:finally:swap", update);
on("visibilitychange", update);
setInterval(() => document.hidden || update(), 10 * SECOND);
update();
