// A control shows what is stored: one whose change could not be saved goes back to how it was.
(() => {
  const valueOf = (control) => (control.type === "checkbox" ? control.checked : control.value);
  const controls = [...document.getElementById("preferences").elements];
  const stored = new Map(controls.map((control) => [control, valueOf(control)]));

  function settle({ detail: { ctx } }) {
    const control = ctx.sourceElement;
    const status = ctx.response?.status;
    if (!stored.has(control) || status === 422) return; // what was typed stays, beside what is wrong
    const sent = ctx.request.body.get(control.name);
    if (status === 200) stored.set(control, control.type === "checkbox" ? sent !== null : sent);
    else if (control.type === "checkbox") control.checked = stored.get(control);
    else control.value = stored.get(control);
  }

  document.addEventListener("htmx:finally:request", settle);
})();
