// Undoes what was done, the newest first, also after the offer to undo it has gone.
import { $, $$, on } from "./base.js";
import { actOf, buttonOf, go, rowOf } from "./rows.js";

// What the row offers then, if it stays.
const OPPOSITES = { save: "unsave", unsave: "save", read: "unread", unread: "read", delete: "undo" };
const acts = []; // { row, opposite } of a row that stayed, { row, token } of what was offered; row is an id
let offered; // the token of the last offer
let isUndoing = false;
let wanted; // the row that gets the focus when it is back

export function undo() {
  const last = acts.pop();
  isUndoing = true;
  if (last) takeBack(last);
  isUndoing = false;
}

function takeBack({ row, opposite, token }) {
  wanted = row;
  if (token) return void post(token);
  const place = document.getElementById(row);
  if (place) buttonOf(place, [opposite])?.click();
}

// The list comes back as it is filtered now.
function post(token) {
  const list = $("#inbox");
  const query = new URLSearchParams(list?.getAttribute("hx-get").split("?")[1]);
  query.set("undo", token);
  const place = list ? { target: list, swap: "outerMorph" } : { swap: "none" };
  return htmx.ajax("POST", `/notifications/undo?${query}`, { source: "#word", ...place });
}

function note({ target }) {
  const button = target.closest("[formaction]");
  if (!button || isUndoing) return;
  const row = rowOf(button)?.id;
  const opposite = OPPOSITES[actOf(button)];
  if (row && opposite) acts.push({ row, opposite });
}

// What is undone by the button of the offer is not undone again by a key.
function take({ target }) {
  if (!target.closest("#word form")) return;
  const at = acts.findLastIndex(({ token }) => token === offered);
  if (at >= 0) wanted = acts.splice(at, 1)[0].row;
}

function noteOffers({ detail: { ctx } }) {
  const address = $("#word form[action*='/undo']")?.action;
  const token = address && new URL(address).searchParams.get("undo");
  if (token && token !== offered) acts.push({ row: ctx.target?.id, token });
  if (token) offered = token;
  // A deleted row offers it until the list is shown anew.
  for (const button of $$("#inbox .is-deleted [name=undo]")) {
    const act = acts.findLast((one) => one.row === button.closest("li").id && one.opposite === "undo");
    if (act) act.token = button.value;
  }
}

function showRestored() {
  const back = wanted && document.getElementById(wanted);
  if (!rowOf(back) || back.matches(".is-deleted")) return;
  wanted = null;
  go(back);
}

on("click", note);
on("click", take);
on("keydown", () => (wanted = null));
on("htmx:finally:swap", noteOffers);
on("htmx:finally:swap", showRestored);
