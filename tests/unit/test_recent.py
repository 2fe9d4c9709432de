"""What is remembered is what was used last."""

from groundwork.recent import Recent


def test_what_was_not_used_for_longest_is_forgotten() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.keep("a", 1)
    recent.keep("b", 2)
    assert recent.get("a") == 1
    recent.keep("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_a_value_is_replaced_and_forgotten() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.keep("a", 1)
    assert recent.keep("a", 2) == 2
    assert recent.get("a") == 2
    recent.forget("a")
    recent.forget("a")
    assert recent.get("a") is None
