// What a page shows beside its own content: title, icon and badge, times, announcements, toasts.
(() => {
  const SECOND = 1000;
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const rows = () => all("#panel-list > li");
  const idOf = (row) => Number(row.dataset.id);

  function show() {
    showTimes();
    all("#toasts .toast:not(.is-problem, .is-lasting, [data-fading])").forEach(fade);
    tellOnce();
    if (!$("#bell")) return;
    showUnread(Number($("#bell").dataset.unread));
    announce(rows().filter((row) => idOf(row) > newest));
  }

  const UNITS = Object.entries({ day: 86400, hour: 3600, minute: 60, second: 1 });
  const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });

  // A time with a title has its full form there; after 30 days that is what it shows.
  function showTimes() {
    for (const time of all("time[title]")) {
      const seconds = (new Date(time.dateTime) - Date.now()) / SECOND;
      const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
      const rounded = unit === "second" ? 0 : Math.trunc(seconds / size);
      const isFar = unit === "day" && Math.abs(rounded) > 30;
      time.textContent = isFar ? time.title : relative.format(rounded, unit);
    }
  }

  function showUnread(unread) {
    const title = document.title.replace(/^\(\d+\+?\) /, "");
    document.title = unread ? `(${unread > 99 ? "99+" : unread}) ${title}` : title;
    const icon = $("#favicon");
    icon.href = unread ? icon.dataset.unread : icon.dataset.plain;
    const badging = unread ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
    badging?.catch(() => {}); // only an installed app has a badge
  }

  let newest = Math.max(0, ...rows().map(idOf));
  let unheard = 0, heardAt = 0, speaking;

  // Several at once are one sentence, and there is one in ten seconds at most.
  function announce(fresh) {
    if (!fresh.length) return;
    newest = idOf(fresh[0]);
    unheard += fresh.length;
    $("#panel-form").elements.up_to.value = newest;
    const text = fresh[0].querySelector(".notice-text").lastChild.textContent.trim();
    const pause = Math.max(3 * SECOND, heardAt + 10 * SECOND - Date.now());
    clearTimeout(speaking);
    speaking = setTimeout(speak, pause, text);
  }

  function speak(text) {
    const region = $("#announcer");
    const words = { n: unheard, text };
    region.textContent = region.dataset.sentence.replace(/{(\w+)}/g, (_, name) => words[name]);
    unheard = 0;
    heardAt = Date.now();
  }

  function fade(toast) {
    toast.dataset.fading = "";
    const isRead = () => toast.matches(":hover, :focus-within");
    setTimeout(() => (isRead() ? fade(toast) : toast.remove()), 10 * SECOND);
  }

  // An answer may be overtaken by a message, and a message may come twice.
  function dropStale({ detail: { tasks } }) {
    const position = Number($("#bell")?.dataset.position);
    const told = tasks.map(({ fragment }) => fragment.querySelector("#bell")?.dataset.position);
    const isOld = told.some((other) => other < position);
    for (const task of tasks) {
      const isAdded = /^(afterbegin|beforeend)$/.test(task.swapSpec.style);
      const isRepeated = isAdded && document.getElementById(task.fragment.firstElementChild?.id);
      const isBell = ["bell", "panel-list"].includes(task.target?.id);
      if (isRepeated || (isOld && isBell)) task.target = null;
    }
  }

  // A failure is told in a toast, unless it is the form again (422) with what is wrong in it.
  function tellFailure({ detail: { ctx } }) {
    if (ctx.response.status === 422 || ctx.sourceElement.id === "stream") return;
    Object.assign(ctx.hx, { retarget: "#toasts", reswap: "beforeend" });
    Object.assign(ctx, { select: null, push: null, replace: null });
    if (!ctx.text.includes('class="toast')) ctx.text = $("#unreachable").innerHTML;
  }

  function tellUnreachable({ detail: { ctx } }) {
    if (!ctx || ctx.sourceElement.id === "stream") return;
    const toast = $("#unreachable").content.firstElementChild.cloneNode(true);
    toast.dataset.unreachable = "";
    $("#toasts").append(toast);
    tellOnce();
  }

  // A page that asks every second fails every second: one toast stands for all that say the same.
  function tellOnce() {
    const told = new Set();
    for (const toast of all("#toasts .is-problem"))
      if (told.has(toast.textContent)) toast.remove();
      else told.add(toast.textContent);
  }

  document.addEventListener("htmx:before:swap", dropStale);
  document.addEventListener("htmx:finally:swap", show);
  document.addEventListener("htmx:response:error", tellFailure);
  document.addEventListener("htmx:error", tellUnreachable);
  document.addEventListener("stream-found", () => all("[data-unreachable]").forEach((toast) => toast.remove()));
  document.addEventListener("visibilitychange", showTimes);
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-dismiss]")) target.closest(".toast").remove();
  });
  setInterval(() => document.hidden || showTimes(), 60 * SECOND);
  show();
})();
