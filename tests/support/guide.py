"""The workshop's guides as their readers follow them: commands, files, links."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.support.local_workshop import PROJECT

WORKSHOP = PROJECT / "workshop"
NOTEBOOK = WORKSHOP / "auto_labeling.ipynb"
LANGUAGES = ("en", "ko")
EVERYWHERE, LAPTOP, ACCOUNT = "everywhere", "laptop", "account"
PLACES = (EVERYWHERE, LAPTOP, ACCOUNT)

_FENCE = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#]+)\)")
_FILE_NAME = re.compile(r"# (\S+)\n")
_PROMPT = "$ "


@dataclass(frozen=True)
class Command:
    """What a reader types, and where."""

    place: str
    line: str


@dataclass(frozen=True)
class Guide:
    """One guide's text, taken apart."""

    text: str

    @classmethod
    def read(cls, language: str) -> "Guide":
        """Read the guide in a language."""
        return cls((WORKSHOP / f"guide.{language}.md").read_text(encoding="utf-8"))

    @property
    def commands(self) -> list[Command]:
        """All commands, in order."""
        return [
            Command(place, line.removeprefix(_PROMPT))
            for kind, place, content in self._fences
            if kind == "console"
            for line in content.splitlines()
            if line.startswith(_PROMPT)
        ]

    @property
    def files(self) -> dict[str, str]:
        """Files that the reader writes, by the name in their first line."""
        found = {}
        for kind, _, content in self._fences:
            if kind == "yaml":
                name = _FILE_NAME.match(content)
                assert name, content
                found[name[1]] = content
        return found

    @property
    def links(self) -> list[Path]:
        """Files of the project that the guide points to."""
        return [WORKSHOP / target for target in _LINK.findall(self.text)]

    @property
    def headings(self) -> list[str]:
        """The headings of the second level."""
        return re.findall(r"^## (.*)$", self.text, re.MULTILINE)

    @property
    def _fences(self) -> list[tuple[str, str, str]]:
        return _FENCE.findall(self.text)
