"""A browser in which push is real but for the push service's way into it.

`PushManager` subscribes to the tests' push service; what that decrypts is handed to the service
worker through DevTools, as the browser's own connection to its push service would.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from playwright.async_api import CDPSession, Error, Worker

from tests.journeys.browsing import DEADLINE, Visitor
from tests.push_service import Browser, Pushed

# What is subscribed outlives a page, as in a browser; after it was given up there is another one.
# `localStorage.pushTrouble` names what fails: "subscribe" or "unsubscribe"; or it is "silence", in
# which nobody answers, and the page is `isUnanswered`.
_PUSH_MANAGER = """
const given = %s;
const bytes = text => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), c => c.charCodeAt(0)).buffer;
const fail = act => { if (localStorage.pushTrouble === act) throw new DOMException("", "AbortError"); };
const answer = async () => {
  if (localStorage.pushTrouble !== "silence") return;
  window.isUnanswered = true;
  await new Promise(() => {});
};
const which = () => given[Math.min(localStorage.pushGivenUp ?? 0, given.length - 1)];
const subscription = key => ({
  endpoint: which().endpoint,
  options: { userVisibleOnly: true, applicationServerKey: bytes(key) },
  toJSON: which,
  unsubscribe: async () => {
    fail("unsubscribe");
    await answer();
    localStorage.pushGivenUp = 1 + Number(localStorage.pushGivenUp ?? 0);
    delete localStorage.pushManager;
  },
});
PushManager.prototype.subscribe = async function ({ userVisibleOnly, applicationServerKey }) {
  if (!userVisibleOnly || Notification.permission !== "granted") throw new DOMException("", "NotAllowedError");
  fail("subscribe");
  await answer();
  localStorage.pushManager = applicationServerKey;
  return subscription(applicationServerKey);
};
PushManager.prototype.getSubscription = async () =>
  localStorage.pushManager ? subscription(localStorage.pushManager) : null;
"""


async def give_push(visitor: Visitor, *browsers: Browser, is_granted: bool = True) -> None:
    """From the next page on, this visitor's browser is that one of the push service; the next one
    once it has given that up.
    """
    if is_granted:
        await visitor.context.grant_permissions(["notifications"], origin=visitor.url)
    given = json.dumps([one.subscription for one in browsers])
    await visitor.context.add_init_script(_PUSH_MANAGER % given)


async def service_worker(visitor: Visitor) -> Worker:
    """The one of our pages, once it runs."""
    workers = visitor.context.service_workers
    return workers[0] if workers else await visitor.context.wait_for_event("serviceworker")


class Screen:
    """What a browser shows of pushes, and where clicks on them lead."""

    def __init__(self, visitor: Visitor, session: CDPSession, registration: str) -> None:
        self._visitor, self._session, self._registration = visitor, session, registration

    @classmethod
    async def of(cls, visitor: Visitor) -> "Screen":
        await service_worker(visitor)
        session = await visitor.context.new_cdp_session(visitor.page)
        found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def hear(told: dict[str, Any]) -> None:
            for one in told["registrations"]:
                if not found.done():
                    found.set_result(one["registrationId"])

        session.on("ServiceWorker.workerRegistrationUpdated", hear)
        await session.send("ServiceWorker.enable")
        return cls(visitor, session, await asyncio.wait_for(found, DEADLINE))

    async def receive(self, pushed: Pushed | str) -> None:
        """Hand over what the push service has decrypted, or any other text."""
        data = pushed if isinstance(pushed, str) else json.dumps(pushed.payload)
        await self._start()
        await self._session.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": self._visitor.url + "/", "registrationId": self._registration, "data": data},
        )

    async def shown(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = await self.evaluate(
            """async () => (await onScreen()).map(
                 ({ title, body, data, actions, silent }) => ({ title, body, silent, path: data.path, actions: actions.map(one => one.action) }))"""
        )
        return told

    async def click(self, action: str = "") -> list[str]:
        """Click the first that is shown; the addresses that were opened in a new window.

        A script may not open windows or focus them, so these two are only noted.
        """
        opened: list[str] = await self.evaluate(
            """async (action) => {
                 const opened = [], [notification] = await onScreen();
                 clients.openWindow = async (url) => opened.push(url);
                 WindowClient.prototype.focus = async function () { opened.push("focus"); };
                 const click = new NotificationEvent("notificationclick", { notification, action });
                 const waits = [];
                 click.waitUntil = (promise) => waits.push(promise);
                 dispatchEvent(click);
                 await Promise.all(waits);
                 return opened;
               }""",
            action,
        )
        return opened

    async def renew_subscription(self, browser: Browser, *, old: Browser | None = None) -> None:
        """As if the push service replaced the subscription: the service worker gets the event."""
        await self.evaluate(
            """async ({ given, oldSubscription }) => {
                 PushManager.prototype.subscribe = async () => ({ toJSON: () => given });
                 const change = Object.assign(new ExtendableEvent("pushsubscriptionchange"), { oldSubscription });
                 const waits = [];
                 change.waitUntil = (promise) => waits.push(promise);
                 dispatchEvent(change);
                 await Promise.all(waits);
               }""",
            {"given": browser.subscription, "oldSubscription": old and old.subscription},
        )

    async def evaluate(self, script: str, argument: object = None) -> Any:
        """In the service worker."""
        async with asyncio.timeout(DEADLINE):
            while True:
                await self._start()
                with suppress(Error):
                    worker = await service_worker(self._visitor)
                    return await worker.evaluate(script, argument)

    async def _start(self) -> None:
        """A browser stops a service worker that has nothing to do."""
        await self._session.send("ServiceWorker.startWorker", {"scopeURL": self._visitor.url + "/"})


async def until(ask: Callable[[], Awaitable[bool]], *, seconds: float = DEADLINE) -> None:
    """Ask again and again; raises TimeoutError when it never comes true."""
    async with asyncio.timeout(seconds):
        while not await ask():  # noqa: ASYNC110 - a browser tells nobody
            await asyncio.sleep(0.05)
