// Keeps the page's title and icon, the app's badge and the announcements in step with the bell.
import { $, $$, SECOND, on } from "./base.js";
import { isPanelOpen } from "./rows.js";

const MOST = 20; // as many rows as the server sends
const rows = () => $$("#panel-list > li");
const idOf = (row) => Number(row.dataset.id);
let newest = Math.max(0, ...rows().map(idOf));
let unannounced = 0, announcedAt = 0, pending;

function update() {
  const { unread, position } = $("#bell").dataset;
  showUnread(Number(unread));
  $("#panel-form").elements.seen.value = $("#panel-list").dataset.seen ?? position;
  announceSoon(rows().filter((row) => idOf(row) > newest));
  rows().filter(isReplaced).forEach(drop);
  rows().slice(MOST).forEach(drop);
}

// The newest notification stands for its group until the row of the whole group is fetched.
function isReplaced(row, at, all) {
  const isGrouped = "grouped" in $("#panel-list").dataset;
  return isGrouped && all.findIndex(({ dataset }) => dataset.group === row.dataset.group) < at;
}

// The row that holds the focus stays until it is left.
function drop(row) {
  row.contains(document.activeElement) || row.remove();
}

// Only the server can count groups and say what is urgent; the page fetches the rows once the panel is open. Either
// may have been switched on since they were rendered.
function catchUp({ detail }) {
  if (detail?.data === "arranged") $("#panel-list").dataset.seen ??= 0;
  const isBehind = $("#panel-list").dataset.seen < Number($("#bell").dataset.position);
  if (isBehind && isPanelOpen()) htmx.ajax("GET", "/notifications/bell", { source: "#panel-list", swap: "none" });
}

function showUnread(unread) {
  const title = document.title.replace(/^\(\d+\+?\) /, "");
  document.title = unread ? `(${$("#bell .badge").textContent}) ${title}` : title;
  const icon = $("#favicon");
  icon.href = icon.dataset[unread ? "unread" : "plain"];
  navigator.setAppBadge?.(unread).catch(() => {}); // only an installed app has a badge
}

// Several notifications are announced in one sentence, and at most once in ten seconds.
function announceSoon(arrived) {
  if (!arrived.length) return;
  newest = Math.max(...arrived.map(idOf));
  unannounced += arrived.length;
  const text = arrived.find((row) => idOf(row) === newest).querySelector(".notice-text").lastChild.textContent.trim();
  const delay = Math.max(3 * SECOND, announcedAt + 10 * SECOND - Date.now());
  clearTimeout(pending);
  pending = setTimeout(announce, delay, text);
}

function announce(text) {
  const { dataset } = $("#announcer");
  const values = { n: unannounced, text };
  $("#announcer").textContent = dataset.sentence.replace(/{(\w+)}/g, (_, name) => values[name]);
  unannounced = 0;
  announcedAt = Date.now();
}

// A response may be older than a message of the stream, and a message may come twice.
function dropStale({ detail: { tasks } }) {
  const position = Number($("#bell").dataset.position);
  const isOld = tasks.some((task) => task.fragment.querySelector("#bell")?.dataset.position < position);
  for (const task of tasks) {
    const isAdded = /^(afterbegin|beforeend)$/.test(task.swapSpec.style);
    const isRepeated = isAdded && document.getElementById(task.fragment.firstElementChild?.id);
    const isBell = ["bell", "panel-list"].includes(task.target?.id);
    if (isRepeated || (isOld && isBell)) task.target = null;
  }
}

on("htmx:before:swap", dropStale);
on("htmx:finally:swap", update);
on("notifications-changed", catchUp);
$("#panel").addEventListener("toggle", catchUp);
update();
