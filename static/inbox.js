// The inbox: what is selected, and news that do not move what is being read.
(() => {
  const $ = (selector) => document.querySelector(selector);
  const boxes = () => [...document.querySelectorAll("#inbox [name=ids]")];
  let lastBox;

  function selectRange({ target, shiftKey }) {
    if (!target.matches("#inbox [name=ids]")) return;
    const all = boxes();
    const [from, to] = [all.indexOf(lastBox), all.indexOf(target)].sort((a, b) => a - b);
    if (shiftKey && from >= 0)
      all.slice(from, to + 1).forEach((box) => (box.checked = target.checked));
    lastBox = target;
  }

  function select({ target }) {
    const isWhole = target.matches("#select-page, #select-all");
    if (isWhole) boxes().forEach((box) => (box.checked = target.checked));
    if (target.matches("#inbox [name=ids], #select-page") && !target.checked)
      $("#select-all").checked = false;
    showSelection();
  }

  function showSelection() {
    if (!$("#bulk")) return;
    const all = boxes();
    const chosen = all.filter((box) => box.checked).length;
    const matching = $("#select-all");
    const n = matching.checked ? matching.dataset.matching : chosen;
    const said = $("#selected");
    said.textContent = Number(n) ? said.dataset.sentence.replace("{n}", n) : "";
    $("#select-page").checked = chosen > 0 && chosen === all.length;
    $("#select-page").indeterminate = chosen > 0 && chosen < all.length;
  }

  // What was chosen is done with; the button that did it is hidden now, and the focus moves on.
  function clearSelection({ detail: { ctx } }) {
    if (ctx.request?.action !== "/notifications/bulk") return;
    [...boxes(), $("#select-all")].forEach((box) => box && (box.checked = false));
    showSelection();
    ($("#select-page") ?? $("#word button") ?? $("#main")).focus({ preventScroll: true });
  }

  function isBeingRead(list) {
    const isElsewhere = scrollY > 80 || $("#inbox").dataset.page > 1;
    const isInUse = list.contains(document.activeElement) || list.querySelector(".is-deleted");
    return isElsewhere || isInUse || boxes().some((box) => box.checked);
  }

  // The rows that have to stay where they are, or "" while nobody is reading.
  function rowsInUse() {
    const list = $("#inbox-list");
    return list && isBeingRead(list) ? [...list.children].map((row) => row.dataset.id).join() : "";
  }

  const address = () => $("#inbox").getAttribute("hx-get");

  // While the list is being read it is renewed in place: the server is told which rows those are.
  function keepPlace({ detail: { ctx } }) {
    if (!ctx.sourceElement.matches("#inbox, #inbox-list .is-deleted button")) return;
    Object.assign(ctx, { shown: rowsInUse(), address: address() });
    if (!ctx.shown) return;
    ctx.request.body.set("up_to", $("#bulk").elements.up_to.value);
    ctx.request.body.set("shown", ctx.shown);
  }

  // An answer about rows or filters that are others by now is void, and asked for again.
  function dropOutdated(event) {
    const { ctx } = event.detail;
    if (ctx.sourceElement.id !== "inbox") return;
    if (ctx.shown === rowsInUse() && ctx.address === address()) return;
    event.preventDefault();
    htmx.trigger(document.body, "notifications-changed");
  }

  function dropOpenFilters({ detail: { ctx } }) {
    if (ctx.sourceElement.id !== "filters") return;
    for (const [name, value] of [...ctx.request.body]) value || ctx.request.body.delete(name);
  }

  document.addEventListener("click", selectRange);
  document.addEventListener("change", select);
  document.addEventListener("htmx:config:request", keepPlace);
  document.addEventListener("htmx:config:request", dropOpenFilters);
  document.addEventListener("htmx:before:swap", dropOutdated);
  document.addEventListener("htmx:after:swap", clearSelection);
  document.addEventListener("htmx:finally:swap", showSelection);
  addEventListener("pageshow", showSelection);
})();
