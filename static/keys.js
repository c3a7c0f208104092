// Single keys in the inbox and in the panel of the bell; #keys lists them. They press the buttons that
// are there, and never act while something is typed or together with Ctrl, Alt or Meta.
import { $, SECOND, on } from "./base.js";
import { actOf, buttonOf, focusedRow, go, isPanelOpen, neighbour, rowOf, rows } from "./rows.js";
import { undo } from "./undo.js";

// What a key does: the first of these acts that the row has a button for.
const ACTS = {
  e: ["done", "undone"],
  s: ["save", "unsave"],
  h: ["snooze", "unsnooze"],
  u: ["unread", "read"],
  "#": ["delete"],
};
const VIEWS = { i: "/notifications", s: "/notifications?view=saved", d: "/notifications?view=done" };
const OTHERS = {
  j: () => step(1),
  k: () => step(-1),
  J: () => extend(1),
  K: () => extend(-1),
  x: toggle,
  z: undo,
  o: () => $("#show-pane")?.click(),
  g: () => (prefixedAt = Date.now()),
  "/": search,
  "?": () => $("#keys").showModal(),
};
const BOX = "[name=ids], [name=parts]";
let prefixedAt = 0; // when g was pressed

function press(event) {
  const { key, target } = event;
  if (event.altKey || event.ctrlKey || event.metaKey || isElsewhere(target)) return;
  const url = Date.now() - prefixedAt < 2 * SECOND && VIEWS[key];
  if (key !== "Shift") prefixedAt = 0;
  if (url) visit(url);
  else if (key === "Enter" && target.matches(BOX)) rowOf(target)?.querySelector("a").click();
  else if (key in OTHERS) OTHERS[key]();
  else if (key in ACTS) event.repeat || act(ACTS[key]);
  else return;
  event.preventDefault();
}

// Where a key is typed, or belongs to something that is open in front of the list.
function isElsewhere(target) {
  const isTyped = target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
  return isTyped || $("dialog[open]") || !(isPanelOpen() || $("#inbox"));
}

// --- Moving and selecting ---

let anchor; // where a range begins

function step(direction) {
  anchor = null;
  const next = neighbour(direction);
  if (next) go(next);
}

// Selects from where the range begins to the next row, or gives up the row that is left.
function extend(direction) {
  const row = focusedRow();
  const next = neighbour(direction);
  if (!row || !next) return next && go(next);
  if (!anchor?.isConnected) anchor = row;
  const all = rows();
  const isLonger = (all.indexOf(row) - all.indexOf(anchor)) * direction >= 0;
  check(row, isLonger);
  check(next, true);
  go(next);
}

function check(row, isChecked) {
  const box = boxOf(row);
  if (!box || box.checked === isChecked) return;
  box.checked = isChecked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

function toggle() {
  anchor = null;
  boxOf(focusedRow())?.click();
}

const boxOf = (row) => row?.querySelector(BOX);

// --- Acting ---

// On what is selected; otherwise on the row that has the focus, which then goes to the next one.
function act(names) {
  const row = focusedRow();
  const chosen = isPanelOpen() ? null : $("#inbox :is([name=ids], [name=parts], [name=all_matching]):checked");
  if (chosen) return bulkButton(names)?.click();
  const button = row && buttonOf(row, names);
  if (!button) return;
  const next = /^(done|undone|delete)$/.test(actOf(button)) && nextAfter(row);
  button.click();
  if (next) go(next);
}

// Of "unread" and "read", which are both there, the one that changes something.
function bulkButton(names) {
  const isUnread = !$(".notice:has(> .check :checked):not(.is-unread)");
  const first = names[0] === "unread" && isUnread ? "read" : names[0];
  return [first, ...names].map((name) => $(`#bulk [name=do][value=${name}]`)).find(Boolean);
}

function nextAfter(row) {
  const all = rows();
  const at = all.indexOf(row);
  const others = [...all.slice(at + 1), ...all.slice(0, at).reverse()];
  return others.find((one) => !row.contains(one) && !one.matches(".is-deleted, :has(.htmx-request)"));
}

// --- Going elsewhere ---

// What was pressed before is sent before the page goes away.
function visit(url) {
  if ($(".htmx-request")) return setTimeout(visit, SECOND / 20, url);
  const tab = $(`#views a[href="${url}"]`);
  if (tab) tab.click();
  else location.assign(url);
}

function search() {
  const field = $("#main [type=search]");
  if (field && !field.checkVisibility()) field.closest("[popover]")?.showPopover();
  field?.focus();
}

on("keydown", press);
