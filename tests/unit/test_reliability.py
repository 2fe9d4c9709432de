"""The page about faults is the one that the fault tests' own run wrote."""

from collections import Counter

from tests.support.reliability import DOCUMENT, fault_tests, points_in, tables, with_tables


def test_the_page_lists_exactly_the_fault_tests() -> None:
    """After a change of a fault test, `make reliability` writes the page anew."""
    document = DOCUMENT.read_text(encoding="utf-8")
    points = points_in(document)
    tests = fault_tests()

    assert [test.name for test in tests] == list(points)
    assert document == with_tables(document, tables(tests, points))
    assert min(points.values()) > 0


def test_every_fault_test_has_a_name_of_its_own() -> None:
    assert Counter(test.name for test in fault_tests()).most_common(1)[0][1] == 1


def test_no_text_breaks_the_table() -> None:
    for test in fault_tests():
        for text in (test.what, test.where, test.outcome):
            assert text
            assert "|" not in text
            assert "\n" not in text
