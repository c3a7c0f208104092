// What the other modules share. Modules run after the page is parsed and before htmx processes it.
export const SECOND = 1000;
export const $ = (selector) => document.querySelector(selector);
export const $$ = (selector) => [...document.querySelectorAll(selector)];
export const on = (name, listener) => document.addEventListener(name, listener);

// Posts with the headers that htmx sends, such as the CSRF token.
export function post(url, body, options) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
  return fetch(url, { method: "POST", headers, body, ...options });
}
