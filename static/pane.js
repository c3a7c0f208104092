// The reading pane, where the screen is wide enough for it. While it is open, it shows the row that gets
// the focus, and the focus stays in that row.
import { $, $$, SECOND, on } from "./base.js";
import { PANE } from "./inbox.js";
import { focusedRow, go } from "./rows.js";

const PAUSE = SECOND / 5; // a row that is only passed is not opened
const placeholder = $("#opened");
let isWanted = PANE in sessionStorage; // since it was opened, until it is closed
let shown = sessionStorage[PANE] ?? ""; // the id of the row, or of the part of a group
let readId = ""; // of the row whose notification was marked as read, because it was opened on this page
let waiting;

// Looked up each time: Back replaces the whole page.
const pane = () => $("#pane");
const isOpen = () => Boolean(pane()?.checkVisibility());

function turn({ target }) {
  if (target.closest("#pane > button")) return close();
  const button = target.closest("#show-pane");
  if (!button?.checkVisibility()) return;
  if (isOpen()) close();
  else open();
}

export function open() {
  isWanted = true;
  keep();
  reveal();
  const row = focusedRow();
  if (row) show(row);
}

function reveal() {
  pane().hidden = !isWanted;
  $("#show-pane").ariaExpanded = String(isWanted);
}

function close() {
  const row = document.getElementById(shown);
  const isInside = pane().contains(document.activeElement);
  clearTimeout(waiting);
  shown = readId = "";
  isWanted = false;
  keep();
  reveal();
  $("#opened").replaceWith(placeholder);
  mark();
  if (row) go(row);
  else if (isInside) $("#show-pane").focus();
}

// --- What it shows ---

function follow({ target }) {
  if (target.matches("#inbox .notice-text") && isOpen()) show(target.closest("li"));
}

function show({ id }) {
  if (id === shown && id === readId) return;
  shown = id;
  keep();
  mark();
  clearTimeout(waiting);
  waiting = setTimeout(() => load(), PAUSE);
}

function keep() {
  if (isWanted) sessionStorage[PANE] = shown;
  else delete sessionStorage[PANE];
}

// The filter of the list decides what belongs to a group; a part of one is shown alone. A pane that was open
// before the page was loaded again marks nothing as read.
function load(again = false) {
  readId = again ? "" : shown;
  const [, part, id] = shown.match(/^notice-(part-)?(\d+)$/);
  const listed = $("#groups"); // unless the list has become empty
  const query = new URLSearchParams(listed ? new FormData(listed) : "");
  if (part) query.set("alone", 1);
  if (again) query.set("again", 1);
  htmx.ajax("GET", `/notifications/${id}/pane?${query}`, { source: pane(), target: "#opened", swap: "outerHTML" });
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

// A refresh before the response to one of its buttons would replace that button, and the response would be lost.
function hold(event) {
  const isRefresh = event.detail.ctx.sourceElement.id === "opened";
  if (isRefresh && $("#opened .htmx-request")) event.preventDefault();
}

function remember() {
  isInside = pane()?.contains(document.activeElement);
}

// The server knows of no open pane; and a newer one of its group may have taken the place of the row.
function settle() {
  if (!pane()) return;
  const isRestored = isWanted && pane().hidden;
  reveal();
  if (isRestored && shown && isOpen()) return load(true);
  const { id } = $("#opened").dataset;
  if (id && shown && !document.getElementById(shown)) shown = `notice-${id}`;
  mark();
  if (isInside && document.activeElement === document.body) pane().focus({ preventScroll: true });
}

function refresh({ detail: { ctx } }) {
  if (ctx.sourceElement.matches("#opened button")) htmx.trigger(document.body, "notifications-changed");
}

on("click", turn);
on("focusin", follow);
on("click", press);
on("keydown", escape);
on("htmx:finally:request", refresh);
on("htmx:before:swap", hold);
on("htmx:before:swap", remember);
on("htmx:finally:swap", settle);
settle();
