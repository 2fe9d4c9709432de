"""The code flow's rules: who may come back, and what an id token has to say."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwork.portal.errors import SignInError
from groundwork.portal.sign_in import (
    PendingSignIn,
    authorize_url,
    check_return,
    code_challenge,
    hash_of,
    identity_from,
    issuer_of,
    safe_return_path,
    sign_out_url,
)
from tests.support.portal_fakes import CLIENT, PAGES, POOL, START, jwt

PENDING = PendingSignIn(
    browser_hash=hash_of("browser"),
    code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    nonce="nonce-1",
    return_path="/",
    expires_at=START + timedelta(minutes=30),
)
CLAIMS: dict[str, Any] = {
    "iss": issuer_of(POOL),
    "aud": CLIENT,
    "nonce": "nonce-1",
    "token_use": "id",
    "exp": START.timestamp() + 3600,
    "sub": "sub-1",
    "cognito:username": "ada",
    "email": "ada@example.com",
}


def identify(token: str) -> Any:
    return identity_from(token, user_pool=POOL, client_id=CLIENT, nonce="nonce-1", now=START)


def test_the_challenge_is_that_of_the_standards_example() -> None:
    # RFC 7636, appendix B.
    assert code_challenge(PENDING.code_verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_sign_in_page_is_asked_for_a_code_with_state_nonce_and_challenge() -> None:
    url = authorize_url(
        PAGES,
        client_id=CLIENT,
        callback_url="https://portal/oauth2/idpresponse",
        state="state-1",
        pending=PENDING,
    )
    assert url.startswith(f"{PAGES}/oauth2/authorize?")
    assert parse_qs(urlsplit(url).query) == {
        "response_type": ["code"],
        "client_id": [CLIENT],
        "redirect_uri": ["https://portal/oauth2/idpresponse"],
        "scope": ["openid email profile"],
        "state": ["state-1"],
        "nonce": ["nonce-1"],
        "code_challenge": ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"],
        "code_challenge_method": ["S256"],
    }
    assert PENDING.code_verifier not in url


def test_signing_out_of_cognito_comes_back_to_the_portal() -> None:
    url = sign_out_url(PAGES, client_id=CLIENT, return_url="https://portal/logout")
    assert url == f"{PAGES}/logout?client_id={CLIENT}&logout_uri=https%3A%2F%2Fportal%2Flogout"


def test_the_browser_that_began_may_come_back_in_time() -> None:
    assert check_return(PENDING, browser="browser", now=START) is PENDING


@pytest.mark.parametrize(
    ("pending", "browser", "minutes", "reason"),
    [
        (None, "browser", 0, "used already or took too long"),
        (PENDING, "browser", 30, "used already or took too long"),
        (PENDING, "other", 0, "begun in another browser"),
        (PENDING, "", 0, "begun in another browser"),
    ],
    ids=["unknown state", "too late", "another browser", "no browser cookie"],
)
def test_other_returns_are_refused(
    pending: PendingSignIn | None, browser: str, minutes: int, reason: str
) -> None:
    with pytest.raises(SignInError, match=reason):
        check_return(pending, browser=browser, now=START + timedelta(minutes=minutes))


def test_a_good_token_names_the_worker() -> None:
    identity = identify(jwt(CLAIMS))
    assert (identity.subject, identity.username, identity.email) == (
        "sub-1",
        "ada",
        "ada@example.com",
    )
    assert identity.issuer == f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"


def test_a_worker_without_an_address_goes_by_the_user_name() -> None:
    assert identify(jwt({**CLAIMS, "email": None})).email == "ada"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", issuer_of("us-east-1_Other")),
        ("aud", "another-client"),
        ("nonce", "another-nonce"),
        ("token_use", "access"),
        ("exp", START.timestamp() - 61),
        ("exp", "tomorrow"),
        ("exp", True),
        ("exp", float("nan")),
        ("aud", [CLIENT, "another-client"]),
        ("token_use", None),
        ("sub", ""),
        ("cognito:username", None),
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(claim: str, value: object) -> None:
    with pytest.raises(SignInError, match=claim):
        identify(jwt({**CLAIMS, claim: value}))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "ES256", "", None, 1])
def test_a_token_that_cognito_does_not_sign_so_is_refused(algorithm: object) -> None:
    with pytest.raises(SignInError, match="alg"):
        identify(jwt(CLAIMS, algorithm))


def test_every_wrong_claim_is_told_but_the_nonce_is_not_shown() -> None:
    with pytest.raises(SignInError) as raised:
        identify(jwt({"nonce": "secret-nonce"}))
    text = str(raised.value)
    assert all(word in text for word in ("iss", "aud", "nonce", "token_use", "exp", "sub"))
    assert "secret-nonce" not in text
    assert "nonce-1" not in text


@settings(deadline=None)
@given(st.text(max_size=100))
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(SignInError):
        identify(text)


@pytest.mark.parametrize("path", ["/", "/jobs/a?b=c", "/a/b#c"])
def test_paths_of_the_portal_are_returned_to(path: str) -> None:
    assert safe_return_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "jobs",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "//[",
        "//\u2100.example",
    ],
)
def test_other_sites_are_not_returned_to(path: str) -> None:
    assert safe_return_path(path) == "/"


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_return_never_leaves_the_portal(path: str) -> None:
    safe = safe_return_path(path)
    assert safe.startswith("/")
    assert not safe.startswith(("//", "/\\"))
    assert not any(ord(letter) <= ord(" ") for letter in safe)
