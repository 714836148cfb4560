"""Who fills which slot, when one person fills one at the most: a maximum assignment, found by augmenting paths (Berge's
theorem). Small numbers: a firm's slots and people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assignment:
    """`filled` are each slot's people, and `lacking` is how many people more are needed: 0 if every slot is filled.

    `short` are the slots between which they are lacking: one person more for any of them, who fills none yet, would
    help, and for no other slot. They are the same for every maximum assignment (Dulmage and Mendelsohn, 1958).
    """

    filled: Mapping[str, tuple[str, ...]]
    lacking: int
    short: tuple[str, ...]


def assign(
    needs: Mapping[str, int], able: Mapping[str, Sequence[str]], seated: Mapping[str, str] | None = None
) -> Assignment:
    """Fill as many places as can be filled. `needs` are the slots' numbers of people, in the order in which they are
    filled, and `able` who may fill each.

    `seated` (person to slot) is an assignment to begin with: everybody in it keeps a place, though perhaps another
    one. Deterministic: the same arguments, in the same order, give the same places.
    """
    places = dict(seated or {})
    lacking = 0
    for slot, need in needs.items():
        have = sum(1 for place in places.values() if place == slot)
        while have < need and _seat_one_more(slot, able, places):
            have += 1
        lacking += max(0, need - have)
    filled = {slot: tuple(one for one in able.get(slot, ()) if places.get(one) == slot) for slot in needs}
    reached = _reached((slot for slot, need in needs.items() if len(filled[slot]) < need), able, places)
    return Assignment(filled, lacking, tuple(slot for slot in needs if slot in reached))


def _seat_one_more(start: str, able: Mapping[str, Sequence[str]], places: dict[str, str]) -> bool:
    """Find a chain of people who each take the next one's place, until somebody who has none; and move them."""
    opened: dict[str, str | None] = {start: None}  # the slot, and who would leave it
    wanted: dict[str, str] = {}  # the person, and the slot that wants them
    queue = [start]
    for slot in queue:
        for person in able.get(slot, ()):
            if person in wanted:
                continue
            wanted[person] = slot
            place = places.get(person)
            if place is None:
                mover: str | None = person
                while mover is not None:
                    places[mover] = wanted[mover]
                    mover = opened[wanted[mover]]
                return True
            if place not in opened:
                opened[place] = person
                queue.append(place)
    return False


def _reached(start: Iterable[str], able: Mapping[str, Sequence[str]], places: Mapping[str, str]) -> set[str]:
    """The slots whose people could be moved into those of `start`, and so on."""
    reached = dict.fromkeys(start)
    queue = list(reached)
    for slot in queue:
        for person in able.get(slot, ()):
            place = places.get(person)
            if place is not None and place not in reached:
                reached[place] = None
                queue.append(place)
    return set(reached)
