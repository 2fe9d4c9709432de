"""The engine's DynamoDB table, reduced to the few operations that the stores build on."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config
from botocore.exceptions import ClientError

from groundwork.unavailable import told_if_unavailable
from groundwork.user_agent import USER_AGENT

Item = dict[str, Any]

_CONFIG = Config(
    user_agent=USER_AGENT,
    # DynamoDB checks what it is sent, too; doing it here takes a fifth of a transaction's time.
    parameter_validation=False,
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "max_attempts": 8},
)
AVAILABLE_INDEX = "available"
_PAGE_GROWTH = 4
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_NO_REASON = {None, "None"}
# The second is what a write gets that meets a transaction on the same item.
_CONFLICT_CODES = {"ConditionalCheckFailedException", "TransactionConflictException"}
_RETRIED_REASONS = {
    *_NO_REASON,
    "ConditionalCheckFailed",
    "TransactionConflict",
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
}


@lru_cache(maxsize=1)
def deployed_table() -> Any:
    """Return the boto3 table that the function was deployed with, the same for all stores.

    Making one takes longer than most requests, and each has connections of its own.
    """
    return boto3.resource("dynamodb", config=_CONFIG).Table(os.environ["TABLE_NAME"])


class ConflictError(Exception):
    """An item changed between reading and writing it: read it again and decide anew.

    Parameters
    ----------
    refused
        Which of a transaction's writes came too late, by their places in it.
    """

    def __init__(self, message: str, refused: Collection[int] = ()) -> None:
        super().__init__(message)
        self.refused = frozenset(refused)


@dataclass(frozen=True)
class Put:
    """Write a whole item.

    Parameters
    ----------
    expected_version
        The ``version`` that the stored item must have; None leaves it unchecked.
    only_new
        Refuse when there is an item with this key.
    """

    item: Item
    expected_version: int | None = None
    only_new: bool = False

    def request(self, table_name: str) -> dict[str, Any]:
        """Return the write as a part of a transaction."""
        put: dict[str, Any] = {"TableName": table_name, "Item": self.item}
        if self.only_new:
            put["ConditionExpression"] = "attribute_not_exists(PK)"
        elif self.expected_version is not None:
            put["ConditionExpression"] = "version = :version"
            put["ExpressionAttributeValues"] = {":version": self.expected_version}
        return {"Put": put}


@dataclass(frozen=True)
class Delete:
    """Remove an item; one that is gone is fine."""

    pk: str
    sk: str

    def request(self, table_name: str) -> dict[str, Any]:
        """Return the write as a part of a transaction."""
        return {"Delete": {"TableName": table_name, "Key": {"PK": self.pk, "SK": self.sk}}}


@dataclass(frozen=True)
class Add:
    """Add to a number of an item, making both if they are missing; the item ends with its TTL."""

    pk: str
    sk: str
    attribute: str
    amount: int
    expires_at: int

    def request(self, table_name: str) -> dict[str, Any]:
        """Return the write as a part of a transaction."""
        return _update(self, table_name, " ADD #changed :amount", {":amount": self.amount})


@dataclass(frozen=True)
class Check:
    """Refuse the whole transaction unless an item's attribute has this value."""

    pk: str
    sk: str
    attribute: str
    value: str

    def request(self, table_name: str) -> dict[str, Any]:
        """Return the check as a part of a transaction."""
        return {
            "ConditionCheck": {
                "TableName": table_name,
                "Key": {"PK": self.pk, "SK": self.sk},
                "ConditionExpression": "#checked = :value",
                "ExpressionAttributeNames": {"#checked": self.attribute},
                "ExpressionAttributeValues": {":value": self.value},
            }
        }


@dataclass(frozen=True)
class Exchange:
    """Put texts in the place of a set's present ones; the item ends with its TTL.

    Parameters
    ----------
    before
        What the set must be; empty for one that is not there.
    after
        What it becomes; not empty, as DynamoDB has no empty sets.
    """

    pk: str
    sk: str
    attribute: str
    before: frozenset[str]
    after: frozenset[str]
    expires_at: int

    def request(self, table_name: str) -> dict[str, Any]:
        """Return the write as a part of a transaction."""
        present = {":before": self.before} if self.before else {}
        update = _update(self, table_name, ", #changed = :after", {":after": self.after, **present})
        update["Update"]["ConditionExpression"] = (
            "#changed = :before" if self.before else "attribute_not_exists(#changed)"
        )
        return update


@dataclass(frozen=True)
class Discard:
    """Remove a text from a set, if it is there; the item ends with its TTL."""

    pk: str
    sk: str
    attribute: str
    member: str
    expires_at: int

    def request(self, table_name: str) -> dict[str, Any]:
        """Return the write as a part of a transaction."""
        return _update(self, table_name, " DELETE #changed :members", {":members": {self.member}})


def _update(
    write: Add | Exchange | Discard, table_name: str, change: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the change of an attribute, ``#changed``, of an item that ends with its TTL."""
    return {
        "Update": {
            "TableName": table_name,
            "Key": {"PK": write.pk, "SK": write.sk},
            "UpdateExpression": f"SET expires_at = :expires_at{change}",
            "ExpressionAttributeNames": {"#changed": write.attribute},
            "ExpressionAttributeValues": {**values, ":expires_at": write.expires_at},
        }
    }


Write = Put | Delete | Add | Check | Exchange | Discard


@dataclass(frozen=True)
class SortKeys:
    """Which sort keys a query wants: a prefix, or a range with both ends included."""

    prefix: str | None = None
    lowest: str | None = None
    highest: str | None = None


ALL = SortKeys()


class Table:
    """Single-table access with optimistic locking.

    Parameters
    ----------
    api
        A boto3 DynamoDB ``Table`` resource.
    """

    def __init__(self, api: Any) -> None:
        self._api = api

    @classmethod
    def from_environment(cls) -> Table:
        """Use the table that the function was deployed with."""
        return cls(deployed_table())

    def get(self, pk: str, sk: str) -> Item | None:
        """Return an item as last written, or None."""
        with told_if_unavailable("reading an item"):
            answer = self._api.get_item(Key={"PK": pk, "SK": sk}, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def put(self, write: Put) -> None:
        """Write one item; raises ConflictError."""
        arguments: dict[str, Any] = {"Item": write.item}
        if write.only_new:
            arguments["ConditionExpression"] = Attr("PK").not_exists()
        elif write.expected_version is not None:
            arguments["ConditionExpression"] = Attr("version").eq(write.expected_version)
        try:
            with told_if_unavailable("writing an item"):
                self._api.put_item(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] in _CONFLICT_CODES:
                raise ConflictError(f"{write.item['PK']} {write.item['SK']} changed") from None
            raise

    def query(
        self,
        pk: str,
        keys: SortKeys = ALL,
        *,
        index: str | None = None,
        lacking: tuple[str, str] | None = None,
        page_size: int | None = None,
    ) -> Iterator[Item]:
        """Yield a partition's items in order of their sort keys.

        Parameters
        ----------
        index
            Read from an index (eventually consistent) instead of the table.
        lacking
            An attribute that is a set, and a member that it must not contain.
        page_size
            How many items the first request reads at most, for callers that mostly stop early; each
            further one reads several times as many.
        """
        for page in self.pages(pk, keys, index=index, lacking=lacking, page_size=page_size):
            yield from page

    def pages(
        self,
        pk: str,
        keys: SortKeys = ALL,
        *,
        index: str | None = None,
        lacking: tuple[str, str] | None = None,
        page_size: int | None = None,
    ) -> Iterator[list[Item]]:
        """Yield what ``query`` yields, as many items at once as a request reads."""
        for page in self._pages(pk, keys, index=index, lacking=lacking, page_size=page_size):
            yield page["Items"]

    def count(
        self,
        pk: str,
        keys: SortKeys = ALL,
        *,
        index: str | None = None,
        lacking: tuple[str, str] | None = None,
    ) -> int:
        """Count what ``query`` would yield."""
        pages = self._pages(pk, keys, index=index, lacking=lacking, select="COUNT")
        return sum(page["Count"] for page in pages)

    def transact(self, writes: Sequence[Write]) -> None:
        """Do several writes or none of them; raises ConflictError."""
        requests = [write.request(self._api.name) for write in writes]
        try:
            with told_if_unavailable("writing several items"):
                self._api.meta.client.transact_write_items(TransactItems=requests)
        except ClientError as error:
            reasons = [
                reason.get("Code") for reason in error.response.get("CancellationReasons", [])
            ]
            if reasons and _RETRIED_REASONS.issuperset(reasons):
                refused = [place for place, code in enumerate(reasons) if code not in _NO_REASON]
                raise ConflictError(str(error), refused) from None
            raise

    def _pages(
        self,
        pk: str,
        keys: SortKeys,
        *,
        index: str | None,
        lacking: tuple[str, str] | None,
        page_size: int | None = None,
        select: str | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        pk_name, sk_name = ("available_pk", "available_sk") if index else ("PK", "SK")
        condition = Key(pk_name).eq(pk)
        if keys.prefix is not None:
            condition &= Key(sk_name).begins_with(keys.prefix)
        elif keys.lowest is not None and keys.highest is not None:
            condition &= Key(sk_name).between(keys.lowest, keys.highest)
        arguments: dict[str, Any] = {"KeyConditionExpression": condition}
        if index:
            arguments["IndexName"] = index
        else:
            arguments["ConsistentRead"] = True
        if lacking:
            attribute, member = lacking
            arguments["FilterExpression"] = ~Attr(attribute).contains(member)
        if page_size:
            arguments["Limit"] = page_size
        if select:
            arguments["Select"] = select
        while True:
            with told_if_unavailable("querying items"):
                page = self._api.query(**arguments)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]
            if page_size:
                arguments["Limit"] *= _PAGE_GROWTH
