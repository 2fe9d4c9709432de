"""The workforce's user pool: its client's secret, its sign-in pages, its users' groups."""

import base64
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from groundwork.contract.registry import POOL_TAG_KEY, POOL_TAG_VALUE
from groundwork.portal.errors import NotSetUpError, SignInError
from groundwork.portal.sign_in import Identity, region_of
from groundwork.user_agent import USER_AGENT

_CONFIG = Config(
    user_agent=USER_AGENT,
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "max_attempts": 4},
)
_TOKEN_TIMEOUT_SECONDS = 10
_MAXIMUM_TOKEN_RESPONSE_BYTES = 200_000


class CognitoClient:
    """One user pool and the app client through which workers sign in.

    Parameters
    ----------
    user_pool, client_id
        What the workforce names.
    endpoint_url
        Where a local cloud serves everything, the sign-in pages included; None on AWS.
    api
        A boto3 ``cognito-idp`` client, or a stand-in.
    """

    def __init__(
        self, user_pool: str, client_id: str, endpoint_url: str | None = None, api: Any = None
    ) -> None:
        self.user_pool = user_pool
        self.client_id = client_id
        self._endpoint_url = endpoint_url
        self._api = api or boto3.client(
            "cognito-idp", region_name=region_of(user_pool), config=_CONFIG
        )
        # The secret is kept in memory only: read at run time, never configured, never logged.
        self._secret: str | None = None
        self._pages_url: str | None = None

    @classmethod
    def from_environment(cls, user_pool: str, client_id: str) -> "CognitoClient":
        """Use the local cloud when ``AWS_ENDPOINT_URL`` names one."""
        return cls(user_pool, client_id, os.environ.get("AWS_ENDPOINT_URL"))

    def pages_url(self) -> str:
        """Return where the pool's sign-in pages are, without a trailing slash.

        Raises
        ------
        NotSetUpError
            If the pool has no domain, or is not open to the portal.
        """
        if self._pages_url is None:
            self._pages_url = self._find_pages_url()
        return self._pages_url

    def exchange_code(self, code: str, *, callback_url: str, code_verifier: str) -> str:
        """Trade an authorization code for an id token.

        Raises
        ------
        SignInError
            If Cognito refuses it.
        NotSetUpError
            If the pool is not open to the portal.
        """
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": code,
            "redirect_uri": callback_url,
            "code_verifier": code_verifier,
        }
        answer = self._post_token(form, self._client_secret())
        # A secret that was rotated since it was read shows itself so.
        if answer.get("error") == "invalid_client":
            self._secret = None
            answer = self._post_token(form, self._client_secret())
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            reason = answer.get("error_description") or answer.get("error") or "no id token"
            raise SignInError(f"Cognito did not accept the sign-in: {reason}.")
        return id_token

    def groups_of(self, identity: Identity) -> frozenset[str]:
        """Return a user's groups; none for one who was disabled, deleted or replaced."""
        user = {"UserPoolId": self.user_pool, "Username": identity.username}
        try:
            found = self._api.admin_get_user(**user)
            subjects = [each["Value"] for each in found["UserAttributes"] if each["Name"] == "sub"]
            if not found["Enabled"] or subjects != [identity.subject]:
                return frozenset()
            pages = self._api.get_paginator("admin_list_groups_for_user").paginate(**user)
            return frozenset(group["GroupName"] for page in pages for group in page["Groups"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "UserNotFoundException":
                return frozenset()
            raise

    def _find_pages_url(self) -> str:
        if self._endpoint_url:
            return self._endpoint_url.rstrip("/")
        with self._told_when_closed():
            pool = self._api.describe_user_pool(UserPoolId=self.user_pool)["UserPool"]
        if custom := pool.get("CustomDomain"):
            return f"https://{custom}"
        prefix = pool.get("Domain")
        if not prefix:
            raise NotSetUpError(
                f"user pool {self.user_pool} has no domain, so there is no page to sign in on; "
                "add one with CreateUserPoolDomain"
            )
        region = region_of(self.user_pool)
        # https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
        auth = "auth-fips" if region.startswith("us-gov-") else "auth"
        return f"https://{prefix}.{auth}.{region}.amazoncognito.com"

    def _client_secret(self) -> str | None:
        if self._secret is None:
            with self._told_when_closed():
                client = self._api.describe_user_pool_client(
                    UserPoolId=self.user_pool, ClientId=self.client_id
                )["UserPoolClient"]
            self._secret = client.get("ClientSecret")
        return self._secret

    @contextmanager
    def _told_when_closed(self) -> Iterator[None]:
        """Say what to do where the portal's role has no right on the pool."""
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            raise NotSetUpError(
                f"user pool {self.user_pool} is not open to the portal; its owner has to tag it "
                f"{POOL_TAG_KEY}={POOL_TAG_VALUE} with cognito-idp:TagResource"
            ) from error

    def _post_token(self, form: dict[str, str], secret: str | None) -> dict[str, Any]:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if secret:
            basic = base64.b64encode(f"{self.client_id}:{secret}".encode()).decode()
            headers["authorization"] = f"Basic {basic}"
        # The address is the pool's own domain or the local cloud's, never a caller's.
        request = urllib.request.Request(  # noqa: S310
            f"{self.pages_url()}/oauth2/token", urlencode(form).encode(), headers
        )
        try:
            with urllib.request.urlopen(  # noqa: S310
                request, timeout=_TOKEN_TIMEOUT_SECONDS
            ) as response:
                return _object_from(response.read(_MAXIMUM_TOKEN_RESPONSE_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                return {"error": f"HTTP {error.code}"} | _object_from(
                    error.read(_MAXIMUM_TOKEN_RESPONSE_BYTES)
                )
        except OSError as error:
            raise SignInError(f"Cognito could not be reached: {error}.") from error


def _object_from(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
