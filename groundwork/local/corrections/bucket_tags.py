"""Buckets keep the tags that their template gives them.

CloudFormation puts `Tags` on the bucket. The emulator drops them, and CDK's function for
`auto_delete_objects` then fails with `NoSuchTagSet`, because it only empties tagged buckets.
"""

from typing import Any

from ministack.services import s3

from groundwork.local.hooks import after_resource


def install() -> None:
    """Store the tags after a bucket was created or updated."""
    after_resource("AWS::S3::Bucket", _store_tags)


def _store_tags(bucket: str, properties: dict[str, Any], attributes: dict[str, Any]) -> None:
    del attributes
    tags = {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags", [])}
    if tags:
        s3._bucket_tags[bucket] = tags
    else:
        s3._bucket_tags.pop(bucket, None)
