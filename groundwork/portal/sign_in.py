"""Signing in with Cognito's authorization code flow, state and PKCE; pure, no I/O."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from groundwork.portal.errors import SignInError

SIGN_IN_PATH = "/sign-in"
CALLBACK_PATH = "/oauth2/idpresponse"
SIGN_OUT_PATH = "/logout"
# People have to find the mail with the temporary password, and think of a new one.
SIGN_IN_SECONDS = 30 * 60
CLOCK_DIFFERENCE = timedelta(seconds=60)
_SCOPES = "openid email profile"


@dataclass(frozen=True)
class PendingSignIn:
    """A sign-in that was begun: what its return is compared with."""

    browser_hash: str
    code_verifier: str
    nonce: str
    return_path: str
    expires_at: datetime


@dataclass(frozen=True)
class Identity:
    """Who signed in, as Cognito says."""

    subject: str
    issuer: str
    username: str
    email: str


def hash_of(token: str) -> str:
    """Return what is stored in a token's place, so that a reader of the table cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def issuer_of(user_pool: str) -> str:
    """Return the issuer in a pool's tokens."""
    return f"https://cognito-idp.{region_of(user_pool)}.amazonaws.com/{user_pool}"


def region_of(user_pool: str) -> str:
    """Return the region in a user pool's id."""
    return user_pool.partition("_")[0]


def safe_return_path(path: str) -> str:
    """Return a path of this portal to go to after signing in; anything else becomes ``/``."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    # Browsers read a backslash as a slash, and drop tabs and line breaks, before they look for
    # another host: https://url.spec.whatwg.org/#relative-slash-state
    # Headers have no place for letters that are not ASCII, and no address of the portal has any.
    odd = any(not "!" <= letter <= "~" or letter == "\\" for letter in path)
    inside = path.startswith("/") and not path.startswith("//") and not parts.scheme
    return path if inside and not odd and not parts.netloc else "/"


def authorize_url(
    pages_url: str, *, client_id: str, callback_url: str, state: str, pending: PendingSignIn
) -> str:
    """Return the address of Cognito's sign-in page for a pending sign-in."""
    parameters = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": callback_url,
        "scope": _SCOPES,
        "state": state,
        "nonce": pending.nonce,
        "code_challenge": code_challenge(pending.code_verifier),
        "code_challenge_method": "S256",
    }
    return f"{pages_url}/oauth2/authorize?{urlencode(parameters)}"


def sign_out_url(pages_url: str, *, client_id: str, return_url: str) -> str:
    """Return the address that ends Cognito's own session and comes back to ``return_url``.

    https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
    """
    parameters = {"client_id": client_id, "logout_uri": return_url}
    return f"{pages_url}/logout?{urlencode(parameters)}"


def code_challenge(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def check_return(pending: PendingSignIn | None, *, browser: str, now: datetime) -> PendingSignIn:
    """Return the pending sign-in if this browser began it in time.

    Raises
    ------
    SignInError
        If it is unknown or used, has expired, or was begun in another browser.
    """
    if pending is None or now >= pending.expires_at:
        raise SignInError("This sign-in was used already or took too long.")
    if not browser or not hmac.compare_digest(pending.browser_hash, hash_of(browser)):
        raise SignInError("This sign-in was begun in another browser.")
    return pending


def identity_from(
    id_token: str, *, user_pool: str, client_id: str, nonce: str, now: datetime
) -> Identity:
    """Check an id token that came straight from the token endpoint, and return whom it names.

    Its signature is not checked: it was received over TLS from the endpoint itself, which OpenID
    Connect Core 3.1.3.7 (6) accepts in place of the signature.
    https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation

    Raises
    ------
    SignInError
        With every claim that is not as it must be.
    """
    header, claims = _parts_of(id_token)
    expected = {
        "iss": issuer_of(user_pool),
        "aud": client_id,
        "nonce": nonce,
        "token_use": "id",
    }
    problems = [
        f"{name} is {claims.get(name)!r}, not {value!r}" if name != "nonce" else "nonce differs"
        for name, value in expected.items()
        if claims.get(name) != value
    ]
    # The one that Cognito signs with: another token is none of its own, whoever passed it on.
    if header.get("alg") != "RS256":
        problems.append(f"alg is {header.get('alg')!r}, not 'RS256'")
    expires = claims.get("exp")
    latest = (now - CLOCK_DIFFERENCE).timestamp()
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not expires > latest:
        problems.append(f"exp is {expires!r}, in the past")
    subject, username = claims.get("sub"), claims.get("cognito:username")
    if not isinstance(subject, str) or not subject:
        problems.append("sub is missing")
    if not isinstance(username, str) or not username:
        problems.append("cognito:username is missing")
    if problems:
        raise SignInError(f"Cognito's id token is not valid here: {'; '.join(problems)}.")
    email = claims.get("email")
    return Identity(
        subject=str(subject),
        issuer=expected["iss"],
        username=str(username),
        email=email if isinstance(email, str) else str(username),
    )


def _parts_of(id_token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return a token's header and claims."""
    parts = id_token.split(".")
    try:
        if len(parts) != 3:
            raise ValueError("not three parts")
        header, claims = (_object_in(part) for part in parts[:2])
    except (ValueError, binascii.Error, RecursionError) as error:
        raise SignInError(f"Cognito's id token cannot be read: {error}.") from error
    return header, claims


def _object_in(part: str) -> Mapping[str, Any]:
    content = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content
