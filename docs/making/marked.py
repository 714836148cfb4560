"""Generated parts of a Markdown file, between two comments that name them."""

from __future__ import annotations


def with_part(text: str, name: str, part: str) -> str:
    """`text` with what stands between `<!-- made: name -->` and `<!-- /made -->` replaced. ValueError if they are not
    there exactly once."""
    begin, end = f"<!-- made: {name} -->\n", "<!-- /made -->"
    before, found, rest = text.partition(begin)
    if not found or begin in rest or end not in rest:
        raise ValueError(f"no part {name!r} between {begin.strip()} and {end.strip()}")
    _, _, after = rest.partition(end)
    return f"{before}{begin}{part}\n{end}{after}"
