// Nobody is signed in here: whoever comes next reads nothing of who has left.
navigator.serviceWorker
  ?.getRegistration()
  .then((registration) => registration?.active?.postMessage("clear"))
  .catch(() => {});
