"""Reading the invitations that Cognito would have mailed."""

import pytest

from groundwork.local.cloud import Mail
from groundwork.local.invitations import Invitation, invitations


def invitation(recipient: str, text: str) -> Mail:
    return Mail(recipient, "Your temporary password", text, "CognitoInvitationMessage")


@pytest.mark.parametrize(
    ("text", "password"),
    [
        (
            "Your username is ann@example.com and temporary password is j^5eL$#gX^TJ.",
            "j^5eL$#gX^TJ",
        ),
        ("the temporary password aB3$.x and choose a password of your own.", "aB3$.x"),
        ("Password: Zz9!,k\nSign in at http://x", "Zz9!,k"),
        ("<p>temporary password is A-1.b.</p>", "A-1.b"),
    ],
)
def test_the_password_is_found_in_the_mails_text(text: str, password: str) -> None:
    assert invitations([invitation("ann@example.com", text)]) == [
        Invitation("ann@example.com", password)
    ]


def test_a_later_invitation_replaces_the_earlier_one() -> None:
    mails = [
        invitation("ann@example.com", "temporary password is First-1."),
        invitation("ben@example.com", "temporary password is Other-1."),
        invitation("ann@example.com", "temporary password is Second-1."),
    ]
    assert invitations(mails) == [
        Invitation("ann@example.com", "Second-1"),
        Invitation("ben@example.com", "Other-1"),
    ]


def test_other_mails_are_no_invitations() -> None:
    notice = Mail("ann@example.com", "New work", "your password is not asked for", "SNS")
    assert invitations([notice]) == []
