// Asks in a dialog before what cannot be undone; without scripts, the same question is a page.
import { $, on } from "./base.js";

const dialog = $("#question");
let behind; // the panel, which a dialog closes

on("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.getAttribute("hx-target") !== "#question" || !dialog?.childElementCount) return;
  behind = $("#panel:popover-open");
  dialog.showModal();
});
// What is answered there in place has its answer.
on("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.closest("#question") && ctx.response?.status < 400) dialog.close();
});
on("click", (event) => {
  if (!event.target.closest("#question [data-cancel]")) return;
  event.preventDefault();
  dialog.close();
});
dialog?.addEventListener("close", () => {
  dialog.replaceChildren();
  behind?.showPopover();
});
