"""Events as a test steers them: read, held, shuffled, repeated, dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.sandbox.stripe import event_objects
from tests.sandbox.stripe.life_of_invoices import Named, identity
from tests.sandbox.stripe.life_of_money import MoneyLife
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.store import Event
from tests.sandbox.stripe.webhooks import Delivery, Endpoint, Order, Webhooks

Chosen = Iterable[Named] | Callable[[Json], bool] | None


class EventLife(MoneyLife):
    """The event log of the account and its webhook endpoints."""

    webhooks: Webhooks

    def events(self, *types: str) -> list[Json]:
        """Every event of these types (all if none is given; a type may end in `*`), oldest first."""
        with self._settled() as store:
            names = types or ("*",)
            return [event_objects.shape(one) for one in store.events if event_objects.matches(one.type, names)]

    def register_webhook(self, url: str, secret: str | Iterable[str], **options: object) -> Endpoint:
        """Deliver what happens from now on to `url`, signed with the secret or with each of several.

        options: `types`, `api_version`, `livemode`, `account`, `retries` of `Endpoint`.
        """
        secrets = (secret,) if isinstance(secret, str) else tuple(secret)
        endpoint = Endpoint(url, secrets, **options)  # type: ignore[arg-type]
        self.webhooks.register(endpoint)
        return endpoint

    def hold_events(self) -> None:
        """Deliver nothing until `release_events`, or what `deliver` names."""
        self.webhooks.hold()

    def release_events(self) -> None:
        """Deliver by itself again, beginning with what was held."""
        self.webhooks.release()

    def held_events(self) -> list[Json]:
        """What waits for delivery, oldest first."""
        return [event_objects.shape(one) for one in self.webhooks.waiting()]

    def deliver(
        self, events: Chosen = None, *, order: Order = "created", copies: int = 1, seed: int = 0
    ) -> list[Delivery]:
        """Send events now and return every attempt: those that wait, or those named (also ones delivered before).

        events: ids or events, or a function of an event; order: created, reversed, or shuffled by `seed`; copies: how
        often each is sent. What is not taken is tried again, once events are not held.
        """
        return self.webhooks.deliver(self._chosen(events), order, copies, seed)

    def drop_events(self, events: Chosen = None) -> list[str]:
        """Never deliver these (default: all that wait), though the API lists them as undelivered. Returns their ids."""
        chosen = self._chosen(events)
        self.webhooks.drop(chosen)
        return [one.id for one in chosen]

    def wait_for_deliveries(self, timeout: float = 30) -> None:
        """Until every event was taken or given up; TimeoutError after so many real seconds."""
        self.webhooks.wait(timeout)

    def _chosen(self, events: Chosen) -> list[Event]:
        if events is None:
            return self.webhooks.waiting()
        with self._settled() as store:
            if callable(events):
                return [one for one in store.events if events(event_objects.shape(one))]
            wanted = {identity(one) for one in events}
            found = [one for one in store.events if one.id in wanted]
        if missing := wanted - {one.id for one in found}:
            raise KeyError(f"no event {', '.join(sorted(missing))} in the Stripe stand-in")
        return found
