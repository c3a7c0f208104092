// The rows of the inbox and the panel: each is one Tab stop, with its parts, and arrows lead to its controls and to
// the rows and parts beside it. A focus that a swap removes stays in its row, or goes to the next one.
import { $, $$, on } from "./base.js";

const LISTED = ":is(#inbox, #panel) li[data-id]";
const ROW = `${LISTED}, .parts li`;
const CONTROLS = "a[href], button, input";

export const rowOf = (element) => element?.closest(ROW);
export const isPanelOpen = () => $("#panel:popover-open") !== null;
const list = () => (isPanelOpen() ? $("#panel") : $("#inbox"));
export const rows = () => [...(list()?.querySelectorAll(ROW) ?? [])];

let last; // the id of the row that had the focus

// The row of the list that has the focus.
export const focusedRow = () => rows().find((row) => row === rowOf(document.activeElement));

// The row that had the focus last, or the first one.
const resting = () => rows().find(({ id }) => id === last) ?? rows()[0];

// The next row or the one before (-1). Without a focus in the list, it begins where the focus last was.
export function neighbour(direction) {
  const row = focusedRow();
  if (!row) return resting();
  const all = rows();
  return all[all.indexOf(row) + direction];
}

export function go(row) {
  row.querySelector(".notice-text, button").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

// --- Its buttons, by what they do ---

export const actOf = (button) => new URL(button.formAction).pathname.split("/").pop();

// The first of these acts that the row has a button for.
export function buttonOf(row, acts) {
  const all = [...row.querySelectorAll("[formaction]")].filter((one) => one.closest("li") === row);
  return acts.map((act) => all.find((one) => actOf(one) === act)).find(Boolean);
}

// A button with an empty hx-post sends to its formaction, so that a row says each address once.
function address({ detail: { ctx } }) {
  ctx.request.action ||= ctx.sourceElement.getAttribute("formaction");
}

// Its menu closes with what is chosen there, and gives the focus back to its button.
function closeMenu({ target }) {
  target.closest(".row-tools button")?.closest("[popover]").hidePopover();
}

// --- One Tab stop in each row, with its parts: the sentence, or what had the focus last ---

function setStop(row) {
  const all = [...row.querySelectorAll(CONTROLS)];
  const focused = all.find((one) => one === document.activeElement);
  const stop = focused ?? all.find((one) => one.matches(".notice-text")) ?? all[0];
  for (const one of all) one.tabIndex = one === stop ? 0 : -1;
}

function enter({ target }) {
  const row = rowOf(target);
  if (!row) return;
  last = row.id;
  setStop(row.closest(LISTED));
}

// --- Arrows ---

const ASIDE = { ArrowLeft: -1, ArrowRight: 1 };
const ALONG = { ArrowUp: -1, ArrowDown: 1 };

function move(event) {
  const row = rowOf(event.target);
  const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
  if (!row || altKey || ctrlKey || metaKey || shiftKey || !(key in ASIDE || key in ALONG)) return;
  event.preventDefault();
  if (key in ASIDE) return beside(row, event.target, ASIDE[key])?.focus();
  const next = neighbour(ALONG[key]);
  if (next) go(next);
}

// Those of the rows inside a row are not its own.
const controls = (row) => [...row.querySelectorAll(CONTROLS)].filter((one) => rowOf(one) === row);

function beside(row, control, direction) {
  const visible = controls(row).filter((one) => one.checkVisibility());
  return visible[visible.indexOf(control) + direction];
}

// --- Swaps ---

// The ids of the row that has the focus, of those after it, and of those before it; null while the focus is
// not wanted back.
let order = null;

function orderFrom(row) {
  const all = rows();
  const at = Math.max(all.indexOf(row), 0);
  return [...all.slice(at), ...all.slice(0, at).reverse()].map(({ id }) => id);
}

// A focus that was lost, or is in a dialog, comes back to where it was; that of Undo and of what is done with
// a selection goes to the list.
function remember() {
  const { activeElement } = document;
  if (activeElement.matches("body, dialog *")) return;
  const row = focusedRow();
  order = row || activeElement.closest("#word, #bulk") ? orderFrom(row ?? resting()) : null;
}

// The sentence of the row comes next, and is read out with what has become of it; in its place, Undo.
function restore() {
  if (!order || document.activeElement !== document.body) return;
  const next = order.map((id) => rowOf(document.getElementById(id))).find(Boolean) ?? rows()[0];
  if (next) go(next);
  else (isPanelOpen() ? $(".panel-foot") : $("#main")).focus({ preventScroll: true });
}

// Pressed beside the rows, the focus is not wanted back. WebKit, and Firefox on a Mac, give none to a button
// that is pressed.
function press({ target }) {
  if (target.closest("dialog, #toasts")) return;
  const row = target.closest("[formaction]") && rowOf(target);
  order = row ? orderFrom(row) : null;
}

function setStops() {
  $$(LISTED).forEach(setStop);
}

on("click", closeMenu);
on("focusin", enter);
on("keydown", move);
on("pointerdown", press);
on("htmx:config:request", address);
on("htmx:before:swap", remember);
on("htmx:finally:swap", restore);
on("htmx:finally:swap", setStops);
// The focus leaves a dialog only after this event, which does not bubble.
document.addEventListener("close", () => setTimeout(restore), true);
setStops();

// Only touch screens need it.
if (matchMedia("(any-pointer: coarse)").matches) import("./swipe.js");
