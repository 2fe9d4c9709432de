"""Words for readers, in the languages that the workshop speaks."""

from typing import NamedTuple


class Text(NamedTuple):
    """The same in English and in Korean; plain text without markup."""

    en: str
    ko: str
