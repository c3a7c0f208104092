// The inbox: what is selected, and news that do not move what is being read.
(() => {
  const $ = (selector) => document.querySelector(selector);
  const boxes = () => [...document.querySelectorAll("#inbox [name=ids]")];
  const rowsOf = (list) => [...(list?.children ?? [])];
  const say = (element, n) => (element.textContent = element.dataset.sentence.replace("{n}", n));
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
    if (n) say($("#selected"), n);
    else $("#selected").textContent = "";
    $("#select-page").checked = chosen === all.length;
    $("#select-page").indeterminate = chosen > 0 && chosen < all.length;
  }

  function clearSelection({ detail: { ctx } }) {
    if (ctx.request?.action !== "/notifications/bulk") return;
    [...boxes(), $("#select-all")].forEach((box) => box && (box.checked = false));
    showSelection();
  }

  function isBeingRead() {
    const list = $("#inbox-list");
    const isElsewhere = scrollY > 80 || $("#inbox").dataset.page > 1;
    return list && (isElsewhere || boxes().some((box) => box.checked) || list.contains(document.activeElement));
  }

  // While the list is being read, what is in it is renewed but nothing comes or goes; what was
  // deleted here keeps its Undo in any case.
  function keepPlace({ detail: { ctx, tasks } }) {
    const task = tasks.find(({ target }) => target?.id === "inbox");
    if (!task || ctx.sourceElement.id !== "inbox") return;
    const list = $("#inbox-list");
    const coming = task.fragment.querySelector("#inbox-list");
    const isRead = isBeingRead();
    const known = new Set(rowsOf(list).map((row) => row.id));
    const fresh = rowsOf(coming).filter((row) => !known.has(row.id));
    const kept = rowsOf(list).filter((row) => isRead || row.matches(".is-deleted"));
    if (isRead) fresh.forEach((row) => row.remove());
    if (coming) kept.forEach((row) => keep(row, coming));
    if (!isRead) return;
    task.target = coming && list;
    if (coming) task.fragment.replaceChildren(coming);
    announce(fresh.filter((row) => Number(row.dataset.id) > oldestOf(list)).length);
  }

  function keep(row, coming) {
    if (coming.querySelector(`#${row.id}`)) return;
    const above = row.previousElementSibling;
    const place = above && coming.querySelector(`#${above.id}`);
    place ? place.after(row.cloneNode(true)) : coming.prepend(row.cloneNode(true));
  }

  const oldestOf = (list) => Math.min(...rowsOf(list).map((row) => Number(row.dataset.id)));

  function announce(n) {
    if (!n) return;
    say($("#newer"), n);
    $("#newer").hidden = false;
  }

  document.addEventListener("click", selectRange);
  document.addEventListener("change", select);
  document.addEventListener("htmx:before:swap", keepPlace);
  document.addEventListener("htmx:after:swap", clearSelection);
  document.addEventListener("htmx:finally:swap", showSelection);
  addEventListener("pageshow", showSelection);
})();
