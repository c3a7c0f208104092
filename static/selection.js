// Selecting rows: ranges with Shift, the whole page, and how many are selected.
import { $, $$, on } from "./base.js";

const BOX = "#inbox :is([name=ids], [name=parts])"; // rows, and the parts of open groups
const boxes = () => $$(BOX);
const check = (some, isChecked) => some.forEach((box) => (box.checked = isChecked));
let last;

function selectRange({ target, shiftKey }) {
  if (!target.matches(BOX)) return;
  const all = boxes();
  const [from, to] = [all.indexOf(last), all.indexOf(target)].sort((a, b) => a - b);
  if (shiftKey && from >= 0) check(all.slice(from, to + 1), target.checked);
  last = target;
}

function select({ target }) {
  const isWhole = target.matches("#select-page, #select-all");
  if (isWhole) check(boxes(), target.checked);
  if ((isWhole || target.matches(BOX)) && !target.checked)
    $("#select-all").checked = false;
  update();
}

function update() {
  if (!$("#bulk")) return;
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  const matching = $("#select-all");
  const n = matching.checked ? Number(matching.dataset.matching) : chosen;
  $("#selected").textContent = n ? $("#selected").dataset.sentence.replace("{n}", n) : "";
  $("#select-page").checked = chosen > 0 && chosen === all.length;
  $("#select-page").indeterminate = chosen > 0 && chosen < all.length;
}

// After a bulk action nothing is selected, so its button is hidden and a focus there must move.
function finish({ detail: { ctx } }) {
  const isAsked = ctx.sourceElement.getAttribute("hx-target") === "#question";
  if (ctx.request?.action !== "/notifications/bulk" || isAsked) return;
  $("#bulk")?.reset();
  if (document.activeElement.closest("#bulk, #question")) $("#select-page")?.focus({ preventScroll: true });
}

on("click", selectRange);
on("change", select);
on("htmx:after:swap", finish);
on("htmx:finally:swap", update);
addEventListener("pageshow", update);
