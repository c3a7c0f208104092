// The inbox. While it is being read, its open rows stay in place when new ones arrive.
import { $, $$, on } from "./base.js";

const address = () => $("#inbox").getAttribute("hx-get");

function isBeingRead(list) {
  const isElsewhere = scrollY > 80 || $("#inbox").dataset.page > 1;
  const isInUse = list.contains(document.activeElement) || list.querySelector(".is-deleted, :checked, [data-open]");
  return isElsewhere || isInUse;
}

const ids = (name) => $$(`#inbox-list [data-${name}]`).map(({ dataset }) => dataset[name]).join();

// The ids of the open rows, or "" while nobody is reading.
function openRows() {
  const list = $("#inbox-list");
  return list && isBeingRead(list) ? ids("id") : "";
}

const openGroups = () => ({ open: ids("open"), removed: ids("removed") });
const state = () => JSON.stringify([address(), openRows(), openGroups()]);

// Tells the server which rows to return.
function sendOpenRows({ detail: { ctx } }) {
  if (!ctx.sourceElement.matches("#inbox, #inbox-list .is-deleted button")) return;
  ctx.state = state();
  const shown = openRows();
  if (!shown) return;
  ctx.request.body.set("seen", $("#bulk").elements.seen.value);
  ctx.request.body.set("shown", shown);
  ctx.request.body.set("urgent", $$("#day-urgent + ul > li").length);
}

// Whatever is swapped in this list, the groups stay open; another list begins with closed ones.
function sendOpenGroups({ detail: { ctx } }) {
  if (!ctx.target?.closest("#inbox") || ctx.push === "true") return;
  for (const [name, value] of Object.entries(openGroups())) if (value) ctx.request.body.set(name, value);
}

// A response for rows or filters that have changed since is dropped, and requested again; as is one that
// may take away a row before its button got its own response, which offers Undo; or under a finger.
function dropOutdated(event) {
  const { ctx } = event.detail;
  if (ctx.sourceElement.id !== "inbox") return;
  const isPending = $(":is(#inbox-list, #question) .htmx-request, .is-swiped");
  if (!isPending && ctx.state === state()) return;
  event.preventDefault();
  htmx.trigger(document.body, "notifications-changed");
}

// Filters that are not set are left out of the URL.
function dropEmptyFilters({ detail: { ctx } }) {
  if (ctx.sourceElement.id !== "filters") return;
  for (const [name, value] of [...ctx.request.body]) value || ctx.request.body.delete(name);
}

let isTyping = false;

// A search that is typed is one step of the history, however often it pauses; so is what is asked for twice.
function keepHistoryShort({ detail: { ctx } }) {
  if (ctx.sourceElement.id !== "filters") return;
  const isTyped = ctx.sourceEvent.type === "input";
  const isHere = location.search.slice(1) === String(new URLSearchParams(ctx.request.body));
  if (isHere || (isTyped && isTyping)) [ctx.push, ctx.replace] = [null, "true"];
  isTyping = isTyped;
}

function beginTyping({ target }) {
  if (target.id === "q") isTyping = false;
}

// The focus of a chip is that of the next one, until there is none.
function leaveChips({ detail: { ctx } }) {
  const isChip = ctx.request.headers["HX-Target"] === "div#inbox-page";
  if (isChip && document.activeElement === document.body) $("#main").focus({ preventScroll: true });
}

// In a line that is moved sideways. For what has the focus, a browser is content with a part of it.
function reveal(place) {
  place?.scrollIntoView({ block: "nearest", inline: "nearest" });
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
on("htmx:config:request", sendOpenGroups);
on("htmx:config:request", dropEmptyFilters);
on("htmx:config:request", keepHistoryShort);
on("focusin", beginTyping);
on("focusin", ({ target }) => reveal(target.closest("#chips a:focus-visible")));
on("htmx:finally:request", leaveChips);
on("htmx:before:swap", dropOutdated);
if (!scrollY) reveal($("#views [aria-current]")); // not where a reload has scrolled to

// The reading pane is fetched when it is first opened, or was open on the page before in this tab.
export const PANE = `pane-${document.body.dataset.user}`;

async function openPane({ target }) {
  if (!target.closest("#show-pane")?.checkVisibility()) return;
  const { open } = await import("./pane.js");
  document.removeEventListener("click", openPane);
  open();
}

if (PANE in sessionStorage) import("./pane.js");
else on("click", openPane);
