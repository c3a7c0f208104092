// Swiping a row of the inbox or the panel, or a part of an open group, presses one of its buttons, and the row
// shows which.
import { on } from "./base.js";
import { buttonOf, go, rowOf } from "./rows.js";

const ACTS = { right: ["done", "undone"], left: ["snooze", "unsnooze"] };
const SLACK = 10; // pixels, before it is clear where a finger goes
const FAR = 96; // pixels, or a third of a narrow row
let swipe; // { row, x, y }, then also { side, button, isFar }

// Another finger ends what one has begun.
function begin({ target, pointerType, isPrimary, clientX, clientY }) {
  end({});
  const row = rowOf(target);
  const isMeant = row && pointerType === "touch" && isPrimary && !target.closest(".row-tools:popover-open");
  swipe = isMeant ? { row, x: clientX, y: clientY } : null;
}

function move({ clientX, clientY }) {
  if (!swipe) return;
  const aside = clientX - swipe.x;
  const along = Math.abs(clientY - swipe.y);
  if (!swipe.side && Math.max(Math.abs(aside), along) < SLACK) return;
  if (!swipe.side && along > Math.abs(aside)) return end({});
  show(aside > 0 ? "right" : "left");
  follow(aside);
}

function show(side) {
  if (side === swipe.side) return;
  const { row } = swipe;
  const button = buttonOf(row, ACTS[side]);
  const word = document.createElement("div");
  word.className = `swipe is-${side}`;
  word.ariaHidden = true;
  if (button) word.append(button.querySelector("svg").cloneNode(true), button.title);
  row.querySelector(":scope > .swipe")?.remove();
  row.append(word);
  row.classList.add("is-swiped");
  Object.assign(swipe, { side, button });
}

function follow(aside) {
  const { row, button } = swipe;
  swipe.isFar = button && Math.abs(aside) >= Math.min(FAR, row.offsetWidth * 0.35);
  row.classList.toggle("is-far", swipe.isFar);
  row.style.translate = button ? `${aside}px` : "";
}

function end({ type }) {
  if (!swipe) return;
  const { row, button, isFar } = swipe;
  swipe = null;
  row.classList.remove("is-swiped", "is-far");
  row.style.translate = "";
  row.querySelector(":scope > .swipe")?.remove();
  if (type !== "pointerup" || !isFar) return;
  go(row);
  button.click();
}

on("pointerdown", begin);
on("pointermove", move);
on("pointerup", end);
on("pointercancel", end);
