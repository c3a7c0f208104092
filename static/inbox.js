// The inbox. While it is being read, its open rows stay in place when new ones arrive.
import { $, $$, on } from "./base.js";

const address = () => $("#inbox").getAttribute("hx-get");

function isBeingRead(list) {
  const isElsewhere = scrollY > 80 || $("#inbox").dataset.page > 1;
  const isInUse = list.contains(document.activeElement) || list.querySelector(".is-deleted, :checked");
  return isElsewhere || isInUse;
}

// The ids of the open rows, or "" while nobody is reading.
function openRows() {
  const list = $("#inbox-list");
  if (!list || !isBeingRead(list)) return "";
  return [...list.querySelectorAll("[data-id]")].map((row) => row.dataset.id).join();
}

// Tells the server which rows to return.
function sendOpenRows({ detail: { ctx } }) {
  if (!ctx.sourceElement.matches("#inbox, #inbox-list .is-deleted button")) return;
  Object.assign(ctx, { shown: openRows(), address: address() });
  if (!ctx.shown) return;
  ctx.request.body.set("seen", $("#bulk").elements.seen.value);
  ctx.request.body.set("shown", ctx.shown);
}

// A response for rows or filters that have changed since is dropped, and requested again; as is one that
// may take away a row before its button got its own response, which offers Undo.
function dropOutdated(event) {
  const { ctx } = event.detail;
  if (ctx.sourceElement.id !== "inbox") return;
  const isPending = $(":is(#inbox-list, #question) .htmx-request");
  if (!isPending && ctx.shown === openRows() && ctx.address === address()) return;
  event.preventDefault();
  htmx.trigger(document.body, "notifications-changed");
}

// Filters that are not set are left out of the URL.
function dropEmptyFilters({ detail: { ctx } }) {
  if (ctx.sourceElement.id !== "filters") return;
  for (const [name, value] of [...ctx.request.body]) value || ctx.request.body.delete(name);
}

// A button that stands for one value of a select.
function toggle({ target }) {
  const button = target.closest("[data-field]");
  if (!button) return;
  const select = $(`#filters [name=${button.dataset.field}]`);
  select.value = select.value === button.dataset.value ? "" : button.dataset.value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}

function showPressed() {
  for (const button of $$("#filters [data-field]"))
    button.ariaPressed = $(`#filters [name=${button.dataset.field}]`).value === button.dataset.value;
}

on("click", toggle);
on("change", showPressed);
addEventListener("pageshow", showPressed);
on("htmx:config:request", sendOpenRows);
on("htmx:config:request", dropEmptyFilters);
on("htmx:before:swap", dropOutdated);
