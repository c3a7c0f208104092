// The system notifications that pushes show. Closes those that were read, and all of them when the
// user has signed out.
import { $, SECOND, on } from "./base.js";

// Also to a service worker that does not control this page, as after a forced reload.
async function send(message) {
  const registration = await navigator.serviceWorker?.ready;
  registration?.active?.postMessage(message); // none once logging out has cleared the site's data
}

let timer;
function closeReadSoon() {
  clearTimeout(timer);
  timer = setTimeout(send, SECOND / 2, "close-read");
}

if ($("#bell")) {
  on("notifications-changed", closeReadSoon);
  closeReadSoon(); // those that were read while no page was open
} else send("close-all"); // the next user of this browser must not read them
