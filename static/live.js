// A live page takes over what has changed. What its user is busy with stays as it is meanwhile: a form
// with input, a video that plays. Once they are no longer busy with it, the page catches up.
import { $, $$, SECOND, on } from "./base.js";

const REGIONS = "#live, #compilation";
const FIELDS = ":is(input, select, textarea):not([type=hidden])";
let isBehind = false; // something was left as it was, or the page was hidden
let isWithoutStream = false;

const refresh = () => htmx.trigger(document.body, "page-outdated");

// --- What the user is busy with ---

function isChanged(field) {
  if (field.type === "file") return field.files.length > 0;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  const chosen = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(0, chosen);
}

function isBusy(form) {
  const fields = [...form.querySelectorAll(FIELDS)];
  return fields.some((field) => field === document.activeElement || field.ariaInvalid || isChanged(field));
}

const isPlaying = (player) => player.querySelector("video")?.paused === false;
const inUse = () => [...$$("#live form").filter(isBusy), ...$$("#player").filter(isPlaying)];

// --- Around each swap ---

function protect({ detail: { tasks } }) {
  const task = tasks.find(({ target }) => target?.matches?.(REGIONS));
  if (!task?.fragment.firstElementChild) return; // nothing has changed
  const kept = inUse().filter((element) => task.target.contains(element));
  isBehind = kept.length > 0;
  for (const element of kept) {
    element.setAttribute("hx-morph-skip", "");
    keep(element, task.fragment);
  }
}

// What the page no longer has, as after the loss of a right, stays with what was typed into it.
function keep({ id, localName }, fragment) {
  if (!id || fragment.querySelector(`#${id}`)) return;
  fragment.firstElementChild.append(Object.assign(document.createElement(localName), { id }));
}

function release() {
  for (const element of $$("#live [hx-morph-skip]:not(#upload)")) element.removeAttribute("hx-morph-skip");
}

function catchUp() {
  if (isBehind && !document.hidden && !inUse().length) refresh();
}

// --- Requests ---

function ask({ detail: { ctx } }) {
  if (ctx.sourceElement.id === "live" && !isBehind)
    ctx.request.headers["If-None-Match"] = ctx.sourceElement.dataset.etag;
}

// A hidden page waits until it is seen.
function wait(event) {
  if (!document.hidden || !event.detail.ctx.sourceElement.matches(REGIONS)) return;
  event.preventDefault();
  isBehind = true;
}

on("htmx:config:request", ask);
on("htmx:before:request", wait);
on("htmx:before:swap", protect);
on("htmx:finally:swap", release);
for (const name of ["input", "change", "reset", "focusout"]) on(name, () => setTimeout(catchUp));
for (const name of ["pause", "ended"]) document.addEventListener(name, catchUp, true);
on("visibilitychange", catchUp);
addEventListener("pageshow", ({ persisted }) => persisted && refresh());
// Without a stream, at least the progress has to move.
on("stream-lost", () => (isWithoutStream = true));
on("stream-found", () => (isWithoutStream = false));
setInterval(() => isWithoutStream && $("#compilation progress") && refresh(), 5 * SECOND);
