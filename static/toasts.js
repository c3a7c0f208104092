// Toasts. Failures show in one; the style sheet says how long the others stay.
import { $, on } from "./base.js";

// One place for one toast: a page that fails every second reports it once, and the morph leaves the
// same words alone, so that they are not read out again.
const PLACE = { target: "#problem", swap: "innerMorph", select: null, push: null, replace: null };

// A form that comes back with its errors (422) is not a failure; the stream has its own banner.
function showFailure({ detail: { ctx } }) {
  if (ctx.response.status === 422 || ctx.sourceElement.id === "stream") return;
  Object.assign(ctx, PLACE);
  if (!ctx.text.includes('class="toast')) ctx.text = $("#unreachable").innerHTML;
}

function showUnreachable({ detail: { ctx } }) {
  if (!ctx || ctx.sourceElement.id === "stream") return;
  htmx.swap({ ...PLACE, sourceElement: document.body, text: $("#unreachable").innerHTML });
}

on("htmx:response:error", showFailure);
on("htmx:error", showUnreachable);
on("stream-found", () => $("#problem .unreachable")?.remove());
on("animationend", ({ target, animationName }) => animationName === "expiry" && target.remove());
on("click", ({ target }) => target.closest("[data-dismiss]")?.closest(".toast").remove());
