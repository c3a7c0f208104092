// The reading pane, where the screen is wide enough for it. While it is open, it shows the row that gets
// the focus, and the focus stays in that row.
import { $, $$, SECOND, on } from "./base.js";
import { focusedRow, go } from "./rows.js";

const PAUSE = SECOND / 5; // a row that is only passed is not opened
const pane = $("#pane");
const switching = $("#show-pane");
const placeholder = $("#opened");
let shown; // the id of the row, or of the part of a group
let waiting;

const isOpen = () => pane.checkVisibility();

function turn() {
  if (isOpen()) close();
  else if (switching.checkVisibility()) open();
}

function open() {
  pane.hidden = false;
  switching.ariaExpanded = "true";
  const row = focusedRow();
  if (row) show(row);
}

function close() {
  const row = document.getElementById(shown);
  const isInside = pane.contains(document.activeElement);
  clearTimeout(waiting);
  shown = null;
  pane.hidden = true;
  switching.ariaExpanded = "false";
  $("#opened").replaceWith(placeholder);
  mark();
  if (row) go(row);
  else if (isInside) switching.focus();
}

// --- What it shows ---

function follow({ target }) {
  if (target.matches("#inbox .notice-text") && isOpen()) show(target.closest("li"));
}

function show({ id }) {
  if (id === shown) return;
  shown = id;
  mark();
  clearTimeout(waiting);
  waiting = setTimeout(load, PAUSE);
}

// What is listed decides what belongs to a group; a part of one is shown alone.
function load() {
  const [, part, id] = shown.match(/^notice-(part-)?(\d+)$/);
  const query = new URLSearchParams(new FormData($("#groups")));
  if (part) query.set("alone", 1);
  htmx.ajax("GET", `/notifications/${id}/pane?${query}`, { source: pane, target: "#opened", swap: "outerHTML" });
}

function mark() {
  for (const row of $$("#inbox .notice")) {
    if (row.id === shown) row.ariaCurrent = "true";
    else row.removeAttribute("aria-current");
  }
}

// --- The mouse and Escape ---

// Enter still leads to the thing itself.
function press(event) {
  const { target, detail, altKey, ctrlKey, metaKey, shiftKey } = event;
  const text = target.closest("#inbox .notice")?.querySelector(".notice-text");
  if (!text || !detail || !isOpen() || altKey || ctrlKey || metaKey || shiftKey) return;
  const control = target.closest("a, button, label");
  if (control && control !== text) return;
  event.preventDefault();
  text.focus({ preventScroll: true });
}

function escape({ key, target }) {
  const isElsewhere = target.matches("input:not([type=checkbox]), select") || $("dialog[open], :popover-open");
  if (key === "Escape" && isOpen() && !isElsewhere) close();
}

// --- Swaps ---

let isInside; // whether the focus was in the pane

// What comes while one of its buttons is being answered would take that button away, and with it the answer.
function hold(event) {
  const isRefresh = event.detail.ctx.sourceElement.id === "opened";
  if (isRefresh && $("#opened .htmx-request")) event.preventDefault();
}

function remember() {
  isInside = pane.contains(document.activeElement);
}

// A newer one of its group may have taken the place of the row; and the server knows of no open pane.
function settle() {
  switching.ariaExpanded = String(isOpen());
  const { id } = $("#opened").dataset;
  if (id && shown && !document.getElementById(shown)) shown = `notice-${id}`;
  mark();
  if (isInside && document.activeElement === document.body) pane.focus({ preventScroll: true });
}

function refresh({ detail: { ctx } }) {
  if (ctx.sourceElement.matches("#opened button")) htmx.trigger(document.body, "notifications-changed");
}

switching.addEventListener("click", turn);
$("#pane > button").addEventListener("click", close);
on("focusin", follow);
on("click", press);
on("keydown", escape);
on("htmx:finally:request", refresh);
on("htmx:before:swap", hold);
on("htmx:before:swap", remember);
on("htmx:finally:swap", settle);
