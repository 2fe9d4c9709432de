"""The search for secrets finds them, by value and by form."""

import pytest

from tests.support.secrets_seen import Witness, found


def test_what_was_seen_is_found_again() -> None:
    witness = Witness()
    witness.add("cookie session", "3f9a8b7c6d5e4f3a2b1c")
    witness.address(
        "https://portal/oauth2/idpresponse?code=aaaabbbbccccdddd&state=0123456789abcdef"
    )
    witness.address("https://bucket/a.jpg?X-Amz-Signature=" + "ab" * 32)

    assert set(witness.seen) == {"cookie session", "code", "state", "X-Amz-Signature"}
    assert found("GET /api/me 200", witness.seen) == set()
    assert found("cookie: session=3f9a8b7c6d5e4f3a2b1c", witness.seen) == {"cookie session"}
    assert found("/oauth2/idpresponse?code=aaaabbbbccccdddd", witness.seen) == {"code"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("id_token=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLi4u", "token"),
        ("GET /a.jpg?X-Amz-Signature=" + "0f" * 32, "signature"),
        ("GET /a.jpg?X-Amz-Security-Token=FwoGZXIvYXdzEJr", "session of a role"),
    ],
)
def test_a_secret_that_nobody_saw_is_known_by_its_form(text: str, kind: str) -> None:
    assert found(text, {}) == {kind}
    assert found(text[:20], {}) == set()


def test_short_values_are_no_evidence() -> None:
    witness = Witness()
    witness.add("cookie theme", "dark")

    assert witness.seen == {}
