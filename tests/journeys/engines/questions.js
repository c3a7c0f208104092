// What the page object asks in a page. An answer is {found: value}, or {missing: reason} as long as
// the page is not ready; then the question is asked again.

const CANDIDATES = {
  button: "button, summary",
  checkbox: "input[type=checkbox]",
  field: "input, select, textarea",
  heading: "h1, h2, h3",
  link: "a[href]",
  notice: ".notice-text",
  progressbar: "progress",
};

const words = (text) => text.replace(/\s+/g, " ").trim();
const nameOf = (one) => words(one.ariaLabel ?? textOf(one.labels?.[0] ?? one));
// Without what screen readers skip.
const textOf = (one) =>
  [...one.querySelectorAll("span[aria-hidden]")].reduce((text, { innerText }) => text.replace(innerText, ""), one.innerText);
const isVisible = (one) => one.checkVisibility({ visibilityProperty: true });

function all({ role, name, within, is_part }) {
  const places = [...document.querySelectorAll(within)].filter(isVisible);
  const candidates = places.flatMap((place) => [...place.querySelectorAll(CANDIDATES[role])]);
  const isNamed = (one) => (is_part ? nameOf(one).includes(name) : nameOf(one) === name);
  return candidates.filter((one) => isVisible(one) && isNamed(one));
}

function only(target) {
  const found = all(target);
  if (found.length === 1) return found[0];
  throw { missing: `${found.length} of ${target.role} "${target.name}" in ${target.within}` };
}

// Where the element is, once it stands still. On a busy machine an animation may not move for a while.
async function rest(one) {
  const measure = () => JSON.stringify(one.getClientRects()[0] ?? {});
  const before = measure();
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (measure() !== before || isAnimated(one)) throw { missing: `rest of ${one.outerHTML.slice(0, 80)}` };
  return JSON.parse(before);
}

// Whether it, or what it is in, still moves to its place; what hides a toast after 10 s moves nothing.
function isAnimated(one) {
  const isMove = ({ playState, animationName }) => playState === "running" && animationName === "arriving";
  return document.getAnimations().some((all) => isMove(all) && all.effect.target.contains(one));
}

// The middle of the element's first line, if nothing covers it.
async function point(target) {
  const one = only(target);
  const { x, y, width, height } = await rest(one);
  const middle = [Math.round(x + width / 2), Math.round(y + height / 2)];
  const hit = document.elementFromPoint(...middle);
  if ([one, ...(one.labels ?? [])].some((part) => part.contains(hit))) return middle;
  one.scrollIntoView({ block: "center", behavior: "instant" });
  throw { missing: `${target.name} uncovered by ${hit?.outerHTML.slice(0, 80)}` };
}

async function box(selector) {
  const { top, bottom } = await rest(document.querySelector(selector));
  return [top, bottom];
}

// As a user would: the field is emptied by what is typed next.
function selectText(target) {
  only(target).select();
  return true;
}

// No driver opens the list of a select alike; this does what theirs do for it.
function choose(target, label) {
  const select = only(target);
  const option = [...select.options].find((one) => words(one.label) === label);
  if (!option) throw { missing: `${label} in ${target.name}` };
  select.value = option.value;
  for (const name of ["input", "change"]) select.dispatchEvent(new Event(name, { bubbles: true }));
  return true;
}

function isChecked(target) {
  return only(target).checked;
}

function selectorOf(target) {
  return `#${CSS.escape(only(target).id)}`;
}

function has(target) {
  return Boolean(only(target));
}

function hasNo(target) {
  if (all(target).length) throw { missing: `the end of ${target.role} "${target.name}"` };
  return true;
}

// Every text in its place at the same time. `places` is a list of [selector, text].
function shows(places) {
  const isShown = ([selector, text]) => {
    const place = document.querySelector(selector);
    return place && isVisible(place) && words(place.innerText).includes(text);
  };
  const missing = places.filter((one) => !isShown(one));
  if (missing.length) throw { missing: JSON.stringify(missing) };
  return true;
}

// The page's stream is open, so that nothing will happen unseen. Signed out, there is none.
function isLive() {
  const stream = document.querySelector("#stream");
  if (document.readyState !== "complete") throw { missing: "the page" };
  if (stream && !stream._htmx?.sse?.reader) throw { missing: "the stream" };
  return true;
}

function isAt(path) {
  if (location.pathname !== path) throw { missing: `${path}, at ${location.pathname}` };
  return true;
}
