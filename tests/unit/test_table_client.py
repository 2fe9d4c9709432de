"""How the table is asked."""

from typing import Any

from groundwork.table_client import Table


class Pages:
    """A table whose queries find one item a page, and remember how many they might have read."""

    def __init__(self, pages: int) -> None:
        self._pages = pages
        self.limits: list[int | None] = []

    def query(self, **arguments: Any) -> dict[str, Any]:
        self.limits.append(arguments.get("Limit"))
        more: dict[str, Any] = {"LastEvaluatedKey": {}} if len(self.limits) < self._pages else {}
        return {"Items": [{"SK": str(len(self.limits))}], **more}


def test_a_search_that_goes_on_reads_larger_pages() -> None:
    pages = Pages(4)
    assert len(list(Table(pages).query("partition", page_size=5))) == 4
    assert pages.limits == [5, 20, 80, 320]


def test_a_search_that_ends_early_has_read_little() -> None:
    pages = Pages(4)
    next(Table(pages).query("partition", page_size=5))
    assert pages.limits == [5]


def test_other_queries_read_as_much_as_the_service_gives() -> None:
    pages = Pages(2)
    list(Table(pages).query("partition"))
    assert pages.limits == [None, None]
