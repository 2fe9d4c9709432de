"""Notices to e-mail subscribers can be read.

On AWS a topic's message reaches the subscriber's mail box. The emulator only logs that there was
one, without its text. The text is put where the emulator keeps the mails of SES and Cognito.
"""

import time
from collections.abc import Callable
from typing import Any

from ministack.services import ses, sns

from groundwork.local.hooks import wrap


def install() -> None:
    """Keep a mail for every confirmed e-mail subscriber of a topic."""
    wrap(sns, "_fanout", _with_mails, ("topic_arn", "msg_id", "message", "subject"))


def _with_mails(
    original: Callable[..., Any],
    topic_arn: str,
    msg_id: str,
    message: str,
    subject: str,
    *rest: Any,
    **named: Any,
) -> Any:
    topic = sns._topic_by_arn_any_scope(topic_arn) or {}
    for subscription in topic.get("subscriptions", []):
        if subscription.get("protocol") == "email" and subscription.get("confirmed"):
            ses._sent_emails_list().append(
                {
                    "MessageId": msg_id,
                    "Source": "no-reply@sns.amazonaws.com",
                    "To": [subscription["endpoint"]],
                    "CC": [],
                    "BCC": [],
                    "Subject": subject or "AWS Notification Message",
                    "BodyText": message,
                    "BodyHtml": "",
                    "Timestamp": time.time(),
                    "Type": "SNS",
                }
            )
    return original(topic_arn, msg_id, message, subject, *rest, **named)
