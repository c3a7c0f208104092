// The inbox. While it is being read, its open rows stay in place when new ones arrive.
import { $, on } from "./base.js";

const address = () => $("#inbox").getAttribute("hx-get");

function isBeingRead(list) {
  const isElsewhere = scrollY > 80 || $("#inbox").dataset.page > 1;
  const isInUse = list.contains(document.activeElement) || list.querySelector(".is-deleted, :checked");
  return isElsewhere || isInUse;
}

// The ids of the open rows, or "" while nobody is reading.
function openRows() {
  const list = $("#inbox-list");
  return list && isBeingRead(list) ? [...list.children].map((row) => row.dataset.id).join() : "";
}

// Tells the server which rows to return.
function sendOpenRows({ detail: { ctx } }) {
  if (!ctx.sourceElement.matches("#inbox, #inbox-list .is-deleted button")) return;
  Object.assign(ctx, { shown: openRows(), address: address() });
  if (!ctx.shown) return;
  ctx.request.body.set("up_to", $("#bulk").elements.up_to.value);
  ctx.request.body.set("shown", ctx.shown);
}

// A response for rows or filters that have changed since is dropped, and requested again.
function dropOutdated(event) {
  const { ctx } = event.detail;
  if (ctx.sourceElement.id !== "inbox") return;
  if (ctx.shown === openRows() && ctx.address === address()) return;
  event.preventDefault();
  htmx.trigger(document.body, "notifications-changed");
}

// Filters that are not set are left out of the URL.
function dropEmptyFilters({ detail: { ctx } }) {
  if (ctx.sourceElement.id !== "filters") return;
  for (const [name, value] of [...ctx.request.body]) value || ctx.request.body.delete(name);
}

on("htmx:config:request", sendOpenRows);
on("htmx:config:request", dropEmptyFilters);
on("htmx:before:swap", dropOutdated);
