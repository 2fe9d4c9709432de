"""Where the sign-in pages are, and who still belongs to which group."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from groundwork.portal.cognito_client import CognitoClient
from groundwork.portal.errors import NotSetUpError
from groundwork.portal.sign_in import Identity

ADA = Identity("sub-1", "issuer", "ada", "ada@example.com")


class FakeApi:
    """Cognito with one pool and one user."""

    def __init__(self, **pool: str) -> None:
        self.pool = pool
        self.enabled = True
        self.present = True
        self.subject = "sub-1"

    def describe_user_pool(self, **_: str) -> dict[str, Any]:
        return {"UserPool": self.pool}

    def admin_get_user(self, **_: str) -> dict[str, Any]:
        if not self.present:
            raise ClientError({"Error": {"Code": "UserNotFoundException"}}, "AdminGetUser")
        return {"Enabled": self.enabled, "UserAttributes": [{"Name": "sub", "Value": self.subject}]}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "admin_list_groups_for_user"
        return self

    def paginate(self, **arguments: str) -> list[dict[str, Any]]:
        assert arguments == {"UserPoolId": "us-east-1_A", "Username": "ada"}
        return [{"Groups": [{"GroupName": "one"}]}, {"Groups": [{"GroupName": "two"}]}]


@pytest.mark.parametrize(
    ("pool_id", "pool", "url"),
    [
        ("us-east-1_A", {"Domain": "ws"}, "https://ws.auth.us-east-1.amazoncognito.com"),
        ("ap-northeast-2_A", {"Domain": "ws"}, "https://ws.auth.ap-northeast-2.amazoncognito.com"),
        ("us-gov-west-1_A", {"Domain": "w"}, "https://w.auth-fips.us-gov-west-1.amazoncognito.com"),
        ("us-east-1_A", {"Domain": "w", "CustomDomain": "in.example"}, "https://in.example"),
    ],
    ids=["prefix", "another region", "government", "custom"],
)
def test_the_sign_in_pages_are_at_the_pools_domain(
    pool_id: str, pool: dict[str, str], url: str
) -> None:
    assert CognitoClient(pool_id, "client", api=FakeApi(**pool)).pages_url() == url


def test_a_local_cloud_has_the_pages_at_its_endpoint() -> None:
    client = CognitoClient("us-east-1_A", "client", "http://127.0.0.1:4566/", FakeApi())
    assert client.pages_url() == "http://127.0.0.1:4566"


def test_a_pool_without_a_domain_is_told() -> None:
    with pytest.raises(NotSetUpError, match="us-east-1_A has no domain"):
        CognitoClient("us-east-1_A", "client", api=FakeApi()).pages_url()


def test_all_pages_of_groups_count() -> None:
    client = CognitoClient("us-east-1_A", "client", api=FakeApi())
    assert client.groups_of(ADA) == {"one", "two"}


@pytest.mark.parametrize(
    "change",
    [{"enabled": False}, {"present": False}, {"subject": "sub-2"}],
    ids=["disabled", "deleted", "another of the same name"],
)
def test_who_is_not_the_user_any_more_is_in_no_group(change: dict[str, Any]) -> None:
    api = FakeApi()
    vars(api).update(change)
    assert CognitoClient("us-east-1_A", "client", api=api).groups_of(ADA) == frozenset()


def test_a_pool_that_is_not_open_to_the_portal_is_told() -> None:
    """Its owner hears which tag is missing; nobody else could put it there."""

    class Closed(FakeApi):
        def describe_user_pool(self, **_: str) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeUserPool")

        def describe_user_pool_client(self, **_: str) -> dict[str, Any]:
            raise ClientError(
                {"Error": {"Code": "AccessDeniedException"}}, "DescribeUserPoolClient"
            )

    on_aws = CognitoClient("us-east-1_A", "client", api=Closed())
    with pytest.raises(NotSetUpError, match=r"us-east-1_A .* tag it groundwork=workforce"):
        on_aws.pages_url()
    local = CognitoClient("us-east-1_A", "client", "http://127.0.0.1:4566", Closed())
    with pytest.raises(NotSetUpError, match=r"us-east-1_A .* tag it groundwork=workforce"):
        local.exchange_code("code", callback_url="http://portal", code_verifier="verifier")
