// What the other modules share. Modules run after the page is parsed and before htmx processes it.
export const SECOND = 1000;
export const $ = (selector) => document.querySelector(selector);
export const $$ = (selector) => [...document.querySelectorAll(selector)];
export const on = (name, listener) => document.addEventListener(name, listener);

// What htmx sends with every request: the CSRF token, and whom the page was made for.
export const pageHeaders = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"));

export function post(url, body, options) {
  return fetch(url, { method: "POST", headers: pageHeaders(), body, ...options });
}
