// A short sound for urgent notifications: once in ten seconds over all tabs, and only from a tab that was
// used. A browser that does not let a page play by itself stays silent.
import { $, SECOND, on } from "./base.js";

const PAUSE = 10 * SECOND;
const KEY = "soundedAt"; // in localStorage, which all tabs share
const { url } = $("#sound").dataset;

function hear({ detail: { tasks } }) {
  const isUrgent = ({ target, fragment }) => target?.id === "toasts" && fragment.querySelector(".is-high");
  if (tasks.some(isUrgent) && navigator.userActivation?.hasBeenActive) takeTurns();
}

// One tab after the other, so that the next ones know of the first. Without locks (plain HTTP from another
// machine) they may overlap.
function takeTurns() {
  const { locks } = navigator;
  return locks ? locks.request("clippyfront-sound", sound) : sound();
}

async function sound() {
  if (Date.now() - (localStorage[KEY] ?? 0) < PAUSE) return;
  try {
    await new Audio(url).play();
    localStorage[KEY] = Date.now();
    await new Promise((resolve) => setTimeout(resolve, SECOND / 2)); // until other tabs can read it
  } catch {} // not allowed, or no device to play on
}

on("htmx:before:swap", hear);
