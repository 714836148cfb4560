"""A state machine as an SVG picture: one column in the order of its file, errors to the right, other ways to the left.
A choice that calls the steps by their names is a bar along the column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from docs.making.transitions import END, START, Machine, Transition, hub_of, kind_of

_WIDTH, _HEIGHT, _GAP = 290, 46, 26
_LANE, _NEAREST = 22, 150
_FIRST_OUT, _NEXT_OUT, _INTO = 9, 13, 37
"""Where lines leave and enter a box's side, in pixels below its top: apart, so that no two lie on each other."""
_TOP = 56
_BAR, _TO_BAR = 46, 84
_BACK, _CALL = 14, 32
"""The bar's width and its distance from the column; where lines leave to it and come from it, below a box's top."""
_WAY, _ERROR = "#55606b", "#b3372b"
_COLORS = {
    "Task": ("#e7f0fa", "#2f6fab"),
    "Wait": ("#fdf1d6", "#b07a10"),
    "Choice": ("#f0ecf8", "#6b4fa0"),
    "Pass": ("#f3f4f5", "#55606b"),
    "Map": ("#e4f4ea", "#2c7a4b"),
    "Succeed": ("#dff3df", "#2c7a4b"),
    "Fail": ("#fbe3e1", "#b3372b"),
}
_NOTES = {
    "Task": "function",
    "Wait": "function, then waits for a person",
    "Choice": "choice",
    "Pass": "passes on what is known",
    "Map": "one child execution an invoice",
    "Succeed": "ends well",
    "Fail": "ends red",
}


@dataclass(frozen=True, slots=True)
class _Box:
    name: str
    kind: str
    row: int
    inside: bool

    @property
    def y(self) -> int:
        return _TOP + self.row * (_HEIGHT + _GAP)


@dataclass(frozen=True, slots=True)
class _Lane:
    """Transitions that share a vertical line: those from one side to one target."""

    target: str
    members: tuple[Transition, ...]


def drawing(machine: Machine, title: str) -> str:
    """The picture as SVG text, the same for the same machine."""
    hub = hub_of(machine)
    boxes = {box.name: box for box in _boxes(machine, hub)}
    inside = [
        replace(one, source=name) if one.source == START else one
        for name, inner in machine.inner.items()
        for one in inner.transitions
    ]
    every = [*machine.transitions, *inside]
    calls = [one for one in every if hub is not None and hub in (one.source, one.target)]
    others = [one for one in every if one not in calls]
    straight = [one for one in others if _is_straight(one, boxes)]
    aside = [one for one in others if one not in straight and one.source != START and one.target != END]
    right = _lanes([one for one in aside if one.caught], boxes)
    left = _lanes([one for one in aside if not one.caught], boxes)
    outs = {**_outs(right, boxes), **_outs(left, boxes)}
    middle = (_NEAREST + 20 + _LANE * len(left)) if left or hub is None else _BAR + _TO_BAR + 20
    width = middle + _WIDTH + _NEAREST + 20 + _LANE * len(right)
    height = _TOP + len(boxes) * (_HEIGHT + _GAP) + 20
    body = [
        *_frames(machine, boxes, middle),
        *(_bar(hub, boxes, middle) if hub is not None else ()),
        *(piece for one in calls for piece in _call(one, boxes, middle, hub)),
        *(_arrow_down(one, boxes, middle) for one in straight),
        *(piece for place, lane in enumerate(left) for piece in _side(lane, boxes, middle, -1, place, outs)),
        *(piece for place, lane in enumerate(right) for piece in _side(lane, boxes, middle + _WIDTH, 1, place, outs)),
        *(piece for box in boxes.values() for piece in _box(box, middle)),
        f'<circle cx="{middle + _WIDTH // 2}" cy="16" r="7" fill="#1b2530"/>',
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"',
            'font-family="Segoe UI, Roboto, Helvetica, Arial, sans-serif" role="img">',
            f"<title>{escape(title)}</title>",
            *(_head(color) for color in (_WAY, _ERROR)),
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *body,
            "</svg>\n",
        ]
    )


def _boxes(machine: Machine, hub: str | None, inside: bool = False, first: int = 0) -> Iterator[_Box]:
    row = first
    for name, body in machine.states.items():
        if name == hub:
            continue
        yield _Box(name, kind_of(body), row, inside)
        row += 1
        if name in machine.inner:
            inner = list(_boxes(machine.inner[name], None, True, row))
            yield from inner
            row += len(inner)


def _is_straight(one: Transition, boxes: dict[str, _Box]) -> bool:
    """To the box right below: an arrow between the two is enough."""
    if one.source == START:
        return True
    return one.target != END and boxes[one.target].row == boxes[one.source].row + 1


def _lanes(transitions: Sequence[Transition], boxes: dict[str, _Box]) -> list[_Lane]:
    """One lane for a target, the shortest next to the boxes."""
    by_target: dict[str, list[Transition]] = {}
    for one in transitions:
        by_target.setdefault(one.target, []).append(one)
    lanes = [_Lane(target, tuple(members)) for target, members in by_target.items()]

    def longest(lane: _Lane) -> int:
        return max(abs(boxes[one.source].row - boxes[lane.target].row) for one in lane.members)

    return sorted(lanes, key=lambda lane: (longest(lane), lane.target))


def _frames(machine: Machine, boxes: dict[str, _Box], x: int) -> Iterator[str]:
    for name, inner in machine.inner.items():
        first, last = boxes[name], boxes[list(inner.states)[-1]]
        height = last.y + _HEIGHT - first.y + 20
        yield (
            f'<rect x="{x - 14}" y="{first.y - 10}" width="{_WIDTH + 28}" height="{height}" rx="8" '
            'fill="#f6fbf8" stroke="#2c7a4b" stroke-dasharray="5 4"/>'
        )


def _bar(hub: str, boxes: dict[str, _Box], x: int) -> Iterator[str]:
    fill, stroke = _COLORS["Choice"]
    left, last = x - _TO_BAR - _BAR, max(box.y for box in boxes.values()) + _HEIGHT
    yield (
        f'<rect x="{left}" y="{_TOP}" width="{_BAR}" height="{last - _TOP}" rx="7" fill="{fill}" stroke="{stroke}" '
        'stroke-width="1.5"/>'
    )
    across, along = left + _BAR // 2 + 5, (_TOP + last) // 2
    yield (
        f'<text x="{across}" y="{along}" text-anchor="middle" font-size="14" font-weight="600" fill="#1b2530" '
        f'transform="rotate(-90 {across} {along})">{escape(hub)}</text>'
    )


def _call(one: Transition, boxes: dict[str, _Box], x: int, hub: str | None) -> Iterator[str]:
    """From a step to the bar, or from the bar to the step that it calls."""
    edge = x - _TO_BAR
    if one.target == hub:
        y = boxes[one.source].y + _BACK
        yield _line(f"M{x} {y} H{edge + 2}", _WAY)
    else:
        y = boxes[one.target].y + _CALL
        yield _line(f"M{edge} {y} H{x - 2}", _WAY)
    if one.label:
        yield _label(edge + 10, y - 4, one.label, _WAY)


def _arrow_down(one: Transition, boxes: dict[str, _Box], x: int) -> str:
    center = x + _WIDTH // 2
    start = 23 if one.source == START else boxes[one.source].y + _HEIGHT
    end = boxes[one.target].y
    color = _ERROR if one.caught else _WAY
    return _line(f"M{center} {start} V{end - 1}", color) + (
        _label(center + 8, (start + end) // 2 + 4, one.label, color) if one.label else ""
    )


def _outs(lanes: Sequence[_Lane], boxes: dict[str, _Box]) -> dict[Transition, int]:
    """The height at which each transition of a side leaves its box."""
    outs: dict[Transition, int] = {}
    left_before: dict[str, int] = {}
    for lane in lanes:
        for one in lane.members:
            place = left_before.get(one.source, 0)
            outs[one] = boxes[one.source].y + _FIRST_OUT + _NEXT_OUT * place
            left_before[one.source] = place + 1
    return outs


def _side(
    lane: _Lane, boxes: dict[str, _Box], edge: int, side: int, place: int, outs: Mapping[Transition, int]
) -> Iterator[str]:
    """A line from each source to the lane, along it, and with an arrow into the target."""
    color = _ERROR if lane.members[0].caught else _WAY
    x = edge + side * (_NEAREST + _LANE * place)
    into = boxes[lane.target].y + _INTO
    for one in lane.members:
        out = outs[one]
        yield _line(f"M{edge} {out} H{x} V{into} H{edge + side * 2}", color)
        if one.label:
            yield _label(edge + side * 8, out - 3, one.label, color, "start" if side > 0 else "end")


def _box(box: _Box, x: int) -> Iterator[str]:
    fill, stroke = _COLORS[box.kind]
    indent = 14 if box.inside else 0
    yield (
        f'<rect x="{x + indent}" y="{box.y}" width="{_WIDTH - 2 * indent}" height="{_HEIGHT}" rx="7" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.5"/>'
    )
    center = x + _WIDTH // 2
    yield (
        f'<text x="{center}" y="{box.y + 19}" text-anchor="middle" font-size="14" font-weight="600" fill="#1b2530">'
        f"{escape(box.name)}</text>"
    )
    yield (
        f'<text x="{center}" y="{box.y + 35}" text-anchor="middle" font-size="11" fill="{stroke}">'
        f"{escape(_NOTES[box.kind])}</text>"
    )


def _label(x: int, y: int, text: str, color: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="11" fill="{color}">{escape(text)}</text>'


def _line(path: str, color: str) -> str:
    """A path with an arrow head; an error's is dashed."""
    dash = ' stroke-dasharray="5 4"' if color == _ERROR else ""
    head = f"url(#{_head_id(color)})"
    return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="1.5"{dash} marker-end="{head}"/>'


def _head(color: str) -> str:
    return (
        f'<defs><marker id="{_head_id(color)}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{color}"/></marker></defs>'
    )


def _head_id(color: str) -> str:
    return f"head-{color.removeprefix('#')}"
