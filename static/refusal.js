// The page's user has signed out (401), or another one has signed in beside it (409).
import { $, $$, SECOND, on, pageHeaders } from "./base.js";

const stream = $("#stream");

export const isRefusal = (status) => status === 401 || status === 409;
let isTold = false;

// The bell as it is now, or why this page may not have it.
export function fetchBell(etag) {
  const partial = { "HX-Request": "true", "HX-Request-Type": "partial", "If-None-Match": etag };
  const headers = { ...pageHeaders(), ...partial };
  const since = $("#bell").dataset.position;
  const url = `/notifications/bell?user=${document.body.dataset.user}&since=${since}`;
  const signal = AbortSignal.timeout(30 * SECOND);
  return fetch(url, { headers, signal, redirect: "manual" }).catch(() => ({}));
}

// A reload leads to the login or to that user's page, but never while there is unsaved input, such as
// in a form that came back.
function refuse({ data: status }) {
  const fields = $$("main :is(input, textarea):not([type=checkbox], [type=radio])");
  const isTyped = (field) => field.value !== field.defaultValue || field.form?.matches("[data-unsaved]");
  if (!fields.some(isTyped) && !sessionStorage.reloaded) {
    sessionStorage.reloaded = status;
    location.reload();
  } else if (!isTold) tell();
}

// Who is logged in now, if anyone, and how to go on: in the words of the refusal.
async function tell() {
  isTold = true;
  const text = await (await fetchBell("")).text?.();
  if (text) htmx.swap({ sourceElement: stream, text, target: "#problem", swap: "innerMorph" });
}

function tellAfterReload() {
  if (sessionStorage.reloaded !== "409") return;
  htmx.swap({ sourceElement: stream, text: $("#switched").innerHTML, target: "#word", swap: "innerHTML" });
}

function found() {
  delete sessionStorage.reloaded;
  isTold = false;
}

stream.addEventListener("stream-found", found);
stream.addEventListener("stream-refused", ({ detail }) => refuse(detail));
on("DOMContentLoaded", tellAfterReload);
