// Toasts. Failures show in one; the style sheet says how long the others stay.
import { $, $$, on } from "./base.js";

const MOST = 3; // notifications at a time; the rest are counted
const plural = new Intl.PluralRules(document.documentElement.lang);
let held = 0; // how many the last toast counts

// One place for one toast: a page that fails every second reports it once, and the morph leaves the
// same words alone, so that they are not read out again.
const PLACE = { target: "#problem", swap: "innerMorph", select: null, push: null, replace: null };

// What the user has not asked for. The stream has its own banner.
const isInBackground = ({ sourceElement }) => sourceElement.matches("#stream, #live, #compilation, #panel-list");

// A form that comes back with its errors (422) is not a failure.
function showFailure({ detail: { ctx } }) {
  if (ctx.response.status === 422 || isInBackground(ctx)) return;
  Object.assign(ctx, PLACE);
  if (!ctx.text.includes('class="toast')) ctx.text = $("#unreachable").innerHTML;
}

function showUnreachable({ detail: { ctx } }) {
  if (!ctx || isInBackground(ctx)) return;
  htmx.swap({ ...PLACE, sourceElement: document.body, text: $("#unreachable").innerHTML });
}

// A page that is left no longer wants what it waits for. Firefox ends its requests then as if the network
// had failed, while the page can still be seen; htmx says nothing of what was aborted.
let timesLeft = 0;

function giveUpWhenLeft({ detail: { ctx } }) {
  const { fetch } = ctx;
  const before = timesLeft;
  const fail = (error) => {
    throw timesLeft > before ? new DOMException("The page was left.", "AbortError") : error;
  };
  ctx.fetch = async (...request) => {
    const response = await fetch(...request).catch(fail);
    const text = () => Response.prototype.text.call(response).catch(fail);
    return Object.assign(response, { text });
  };
}

function countTheRest() {
  const rest = $$("#toasts > .notice").slice(MOST);
  if (!rest.length) return;
  rest.forEach((toast) => toast.remove());
  held += rest.length;
  const { dataset, content } = $("#rest");
  const sentence = dataset[plural.select(held)] ?? dataset.other;
  $("#toasts").append($("#more") ?? content.firstElementChild.cloneNode(true));
  $("#more a").textContent = sentence.replace("{n}", held);
}

function drop(toast) {
  if (toast.id === "more") held = 0;
  toast.remove();
}

addEventListener("beforeunload", () => (timesLeft += 1));
on("htmx:before:request", giveUpWhenLeft);
on("htmx:finally:swap", countTheRest);
on("htmx:response:error", showFailure);
on("htmx:error", showUnreachable);
on("stream-found", () => $("#problem .unreachable")?.remove());
on("animationend", ({ target, animationName }) => animationName === "expiry" && drop(target));
on("click", ({ target }) => {
  const toast = target.closest("[data-dismiss]")?.closest(".toast");
  if (toast) drop(toast);
});
