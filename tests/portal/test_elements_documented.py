"""The list of elements that people read is the list of elements that exist."""

import re
from pathlib import Path

ELEMENTS = Path(__file__).resolve().parents[2] / "portal" / "src" / "elements"


def test_every_element_is_documented_and_every_documented_one_exists() -> None:
    source = (ELEMENTS / "define.ts").read_text(encoding="utf-8")
    text = (ELEMENTS / "README.md").read_text(encoding="utf-8")
    defined = set(re.findall(r'^  "([a-z-]+)": \w+,$', source, re.MULTILINE))
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    documented = {tag for row in rows for tag in re.findall(r"`([a-z-]+)`", row)}

    assert len(defined) > 20
    assert documented == defined
