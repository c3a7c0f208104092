// Controls that save themselves show what is stored: a change that could not be saved is reverted.
import { $$, on } from "./base.js";

const property = (control) => (control.type === "checkbox" ? "checked" : "value");
const controls = $$(":is(input, select)[hx-post]");
const stored = new Map(controls.map((control) => [control, control[property(control)]]));

function settle({ detail: { ctx } }) {
  const control = ctx.sourceElement;
  const status = ctx.response?.status;
  if (!stored.has(control) || status === 422) return; // what was typed stays, beside what is wrong
  const sent = ctx.request.body.get(control.name);
  if (status === 200) stored.set(control, control.type === "checkbox" ? sent !== null : sent);
  else control[property(control)] = stored.get(control);
}

on("htmx:finally:request", settle);
