"""Custom::WorkerAccess: who gets in, who gets mail, and what it leaves alone."""

from typing import Any

import pytest

from groundwork.custom_resources.failure import ResourceFailureError
from groundwork.custom_resources.worker_access import WorkerAccess
from tests.support.fake_services import (
    FakeClock,
    FakeCognito,
    FakeNotices,
    ProviderFramework,
    resource_event,
)

TYPE = "Custom::WorkerAccess"
HOST = "abcdefghij.labeling.eu-west-1.sagemaker.aws"
CALLBACK = f"https://{HOST}/oauth2/idpresponse"
SIGN_OUT = f"https://{HOST}/logout"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:notices"
PHYSICAL_ID = "eu-west-1_Pool/annotators"


class Setting:
    """A pool, a topic and the resource under test."""

    def __init__(self, **pool_settings: Any) -> None:
        self.clock = FakeClock()
        self.cognito = FakeCognito(self.clock, **pool_settings)
        self.notices = FakeNotices()
        resource = WorkerAccess(self.cognito, self.notices, self.clock)
        self.framework = ProviderFramework(resource, self.clock)

    @staticmethod
    def properties(*emails: str, **others: Any) -> dict[str, Any]:
        return {
            "SubDomain": HOST,
            "UserPool": "eu-west-1_Pool",
            "ClientId": "client1",
            "Group": "annotators",
            "WorkerEmails": list(emails),
            "ManageClient": "true",
            "TopicArn": TOPIC,
            **others,
        }

    def create(self, *emails: str, **others: Any) -> dict[str, Any]:
        event = resource_event("Create", TYPE, self.properties(*emails, **others))
        return self.framework.run(event)

    def update(self, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        event = resource_event("Update", TYPE, after, old=before, physical_id=PHYSICAL_ID)
        return self.framework.run(event)

    def delete(self, *emails: str) -> dict[str, Any]:
        event = resource_event("Delete", TYPE, self.properties(*emails), physical_id=PHYSICAL_ID)
        return self.framework.run(event)


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_workers_are_invited_once_and_let_into_the_group(setting: Setting) -> None:
    answer = setting.create("ana@example.com", "ben@example.com")
    assert setting.cognito.mails == [("ana@example.com", "INVITE"), ("ben@example.com", "INVITE")]
    assert setting.cognito.emails_in("annotators") == {"ana@example.com", "ben@example.com"}
    assert answer == {
        "PhysicalResourceId": PHYSICAL_ID,
        "PortalUrl": f"https://{HOST}",
        "Warnings": "",
    }


def test_an_invitation_has_a_verified_address_and_goes_by_mail(setting: Setting) -> None:
    setting.create("ana@example.com")
    assert setting.cognito.called("admin_create_user") == [
        {
            "UserPoolId": "eu-west-1_Pool",
            "Username": "ana@example.com",
            "UserAttributes": [
                {"Name": "email", "Value": "ana@example.com"},
                {"Name": "email_verified", "Value": "true"},
            ],
            "DesiredDeliveryMediums": ["EMAIL"],
        }
    ]


def test_a_local_portal_is_reached_without_tls(setting: Setting) -> None:
    answer = setting.create(SubDomain="abc.execute-api.localhost:4566")
    assert answer["PortalUrl"] == "http://abc.execute-api.localhost:4566"
    assert "http://abc.execute-api.localhost:4566/logout" in setting.cognito.client["LogoutURLs"]


def test_a_repeated_event_sends_no_second_mail(setting: Setting) -> None:
    setting.create("ana@example.com")
    setting.create("ana@example.com")
    assert setting.cognito.mails == [("ana@example.com", "INVITE")]
    assert setting.notices.called("subscribe") == [
        {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "ana@example.com"}
    ]


def test_the_case_of_an_address_makes_no_second_user(setting: Setting) -> None:
    setting.cognito.add_user("Ana@Example.com")
    setting.create("aNa@example.COM", "ANA@example.com")
    assert setting.cognito.mails == []
    assert setting.cognito.emails_in("annotators") == {"Ana@Example.com"}
    assert len(setting.notices.called("subscribe")) == 1


def test_of_two_users_whom_case_tells_apart_the_one_who_can_sign_in_is_meant(
    setting: Setting,
) -> None:
    setting.cognito.add_user("ana@example.com", "UNCONFIRMED")
    setting.cognito.add_user("Ana@example.com", "CONFIRMED")
    setting.create("ana@example.com")
    assert setting.cognito.emails_in("annotators") == {"Ana@example.com"}


def test_users_are_found_on_later_pages_of_the_pool(setting: Setting) -> None:
    for number in range(8):
        setting.cognito.add_user(f"worker{number}@example.com")
    setting.create("worker7@example.com")
    assert setting.cognito.mails == []
    assert setting.cognito.emails_in("annotators") == {"worker7@example.com"}


def test_somebody_invited_a_moment_ago_by_others_is_let_in_without_another_mail(
    setting: Setting,
) -> None:
    setting.cognito.add_user("ana@example.com", "FORCE_CHANGE_PASSWORD", age_days=6)
    setting.create("ana@example.com")
    assert setting.cognito.mails == []
    assert setting.cognito.emails_in("annotators") == {"ana@example.com"}


def test_an_invitation_whose_password_ran_out_is_sent_again(setting: Setting) -> None:
    setting.create("ana@example.com")
    before = setting.properties("ana@example.com")
    setting.clock.pass_by(days=8)
    setting.update(before, setting.properties("ana@example.com", "ben@example.com"))
    assert setting.cognito.mails == [
        ("ana@example.com", "INVITE"),
        ("ben@example.com", "INVITE"),
        ("ana@example.com", "RESEND"),
    ]
    resent = setting.cognito.called("admin_create_user")[-1]
    assert resent["MessageAction"] == "RESEND"
    setting.update(before, setting.properties("ana@example.com"))
    assert len(setting.cognito.mails) == 3


def test_the_pools_own_password_lifetime_decides_when_to_invite_again() -> None:
    policies = {"PasswordPolicy": {"TemporaryPasswordValidityDays": 30}}
    setting = Setting(Policies=policies)
    setting.cognito.add_user("ana@example.com", "FORCE_CHANGE_PASSWORD", age_days=20)
    setting.create("ana@example.com")
    assert setting.cognito.mails == []


def test_a_pool_with_email_aliases_gets_user_names_that_are_no_addresses() -> None:
    setting = Setting(AliasAttributes=["email"])
    setting.create("ana@example.com")
    (created,) = setting.cognito.called("admin_create_user")
    assert created["Username"].startswith("worker-")
    assert "@" not in created["Username"]


def test_somebody_created_since_the_pool_was_listed_is_let_in_but_not_taken_over(
    setting: Setting,
) -> None:
    event = resource_event("Create", TYPE, setting.properties("ana@example.com"))
    setting.cognito.refuse("admin_create_user", "UsernameExistsException", "exists")
    original = setting.cognito.list_users_in_group

    def meanwhile(UserPoolId: str, GroupName: str) -> dict[str, Any]:  # noqa: N803
        if "ana@example.com" not in setting.cognito.emails:
            setting.cognito.add_user("ana@example.com")
        return original(UserPoolId, GroupName)

    setting.cognito.list_users_in_group = meanwhile  # type: ignore[method-assign]
    setting.framework.run(event)
    assert setting.cognito.emails_in("annotators") == {"ana@example.com"}
    setting.delete("ana@example.com")
    assert setting.cognito.emails == {"ana@example.com"}


def test_disabled_and_odd_users_are_told_about(setting: Setting) -> None:
    name = setting.cognito.add_user("ana@example.com")
    setting.cognito.users[name]["Enabled"] = False
    setting.cognito.add_user("ben@example.com", "UNCONFIRMED")
    warnings = setting.create("ana@example.com", "ben@example.com")["Warnings"]
    assert "ana@example.com is disabled" in warnings
    assert "ben@example.com has the status UNCONFIRMED" in warnings


def test_all_workers_who_could_not_be_invited_are_named_and_the_others_are(
    setting: Setting,
) -> None:
    setting.cognito.refuse("admin_create_user", "InvalidParameterException", "bad address")
    setting.cognito.refuse("admin_create_user", "LimitExceededException", "50 mails a day")
    with pytest.raises(ResourceFailureError) as caught:
        setting.create("ana@", "ben@example.com", "cem@example.com")
    text = str(caught.value)
    assert "1. inviting ana@: InvalidParameterException: bad address" in text
    assert "2. inviting ben@example.com: LimitExceededException: 50 mails a day" in text
    assert setting.cognito.emails_in("annotators") == {"cem@example.com"}


def test_the_days_last_mail_is_not_waited_for(setting: Setting) -> None:
    setting.cognito.refuse("admin_create_user", "LimitExceededException", "50 mails a day", times=9)
    with pytest.raises(ResourceFailureError, match="50 mails a day"):
        setting.create("ben@example.com")
    assert len(setting.cognito.called("admin_create_user")) == 1


def test_a_wrong_address_is_told_at_once_although_cognito_is_busy(setting: Setting) -> None:
    setting.cognito.refuse("admin_create_user", "InvalidParameterException", "bad address")
    setting.cognito.refuse("admin_create_user", "TooManyRequestsException", "not now")
    with pytest.raises(ResourceFailureError, match="bad address"):
        setting.create("ana@", "ben@example.com")
    assert len(setting.cognito.called("admin_create_user")) == 2


def test_missing_addresses_are_added_to_the_client_and_nothing_else_changes(
    setting: Setting,
) -> None:
    before = dict(setting.cognito.client)
    setting.create()
    assert setting.cognito.client == {
        **before,
        "CallbackURLs": ["https://placeholder.invalid", CALLBACK],
        "LogoutURLs": ["https://placeholder.invalid", SIGN_OUT],
    }


def test_addresses_that_are_there_are_not_written_again(setting: Setting) -> None:
    setting.cognito.client |= {"CallbackURLs": [CALLBACK], "LogoutURLs": [SIGN_OUT]}
    setting.create()
    assert setting.cognito.called("update_user_pool_client") == []


def test_overwritten_addresses_are_mended_on_update(setting: Setting) -> None:
    setting.create()
    setting.cognito.client |= {"CallbackURLs": ["https://other.invalid"]}
    setting.update(setting.properties(), setting.properties(ClientSettings="2"))
    assert setting.cognito.client["CallbackURLs"] == ["https://other.invalid", CALLBACK]


def test_a_client_without_a_name_is_updated_without_one(setting: Setting) -> None:
    setting.cognito.client["ClientName"] = ""
    setting.create()
    (sent,) = setting.cognito.called("update_user_pool_client")
    assert "ClientName" not in sent


def test_a_client_that_sagemaker_writes_at_the_same_time_is_read_again(setting: Setting) -> None:
    setting.cognito.refuse(
        "update_user_pool_client", "ConcurrentModificationException", "busy", times=2
    )
    setting.create()
    assert CALLBACK in setting.cognito.client["CallbackURLs"]
    assert len(setting.cognito.called("describe_user_pool_client")) == 3


def test_a_client_that_stays_busy_is_a_failure(setting: Setting) -> None:
    setting.cognito.refuse(
        "update_user_pool_client", "ConcurrentModificationException", "busy", times=9
    )
    with pytest.raises(ResourceFailureError, match="ConcurrentModificationException: busy"):
        setting.create()


def test_an_adopted_client_is_only_looked_at(setting: Setting) -> None:
    answer = setting.create("ana@example.com", ManageClient="false")
    assert setting.cognito.called("update_user_pool_client") == []
    assert CALLBACK in answer["Warnings"]


def test_a_missing_pool_is_told_with_the_services_words(setting: Setting) -> None:
    setting.cognito.gone = True
    with pytest.raises(ResourceFailureError) as caught:
        setting.create("ana@example.com")
    assert str(caught.value).startswith("The user pool eu-west-1_Pool cannot be read.")
    assert "ResourceNotFoundException: User pool does not exist." in str(caught.value)
    assert "To do: check that the pool" in str(caught.value)


def test_a_missing_right_is_named(setting: Setting) -> None:
    setting.cognito.refuse("describe_user_pool", "AccessDeniedException", "not authorized")
    with pytest.raises(ResourceFailureError, match="allow cognito-idp:DescribeUserPool"):
        setting.create()


def test_a_workforce_without_a_host_is_waited_for_and_then_given_up(setting: Setting) -> None:
    event = setting.framework.start(
        resource_event("Create", TYPE, setting.properties("ana@example.com", SubDomain=""))
    )
    assert setting.framework.poll(event) == {"IsComplete": False}
    setting.clock.pass_by(minutes=11)
    with pytest.raises(ResourceFailureError, match="no SubDomain after 0:10:00"):
        setting.framework.poll(event)
    assert setting.cognito.mails == []


def test_workers_taken_off_the_list_lose_access_and_their_user_if_we_made_it(
    setting: Setting,
) -> None:
    setting.cognito.add_user("ana@example.com")
    setting.create("ana@example.com", "ben@example.com", "cem@example.com")
    setting.notices.subscriptions["ben@example.com"] = f"{TOPIC}:confirmed"
    setting.update(
        setting.properties("ana@example.com", "ben@example.com", "cem@example.com"),
        setting.properties("cem@example.com"),
    )
    assert setting.cognito.emails_in("annotators") == {"cem@example.com"}
    assert setting.cognito.emails == {"ana@example.com", "cem@example.com"}
    assert "ben@example.com" not in setting.notices.subscriptions
    # Those not confirmed yet cannot be ended and lapse by themselves.
    assert len(setting.notices.called("unsubscribe")) == 1


def test_deletion_leaves_the_users_of_others_alone(setting: Setting) -> None:
    setting.cognito.add_user("ana@example.com")
    setting.cognito.add_user("boss@example.com")
    setting.cognito.groups["annotators"].add("user-1")
    setting.create("ana@example.com", "ben@example.com")
    setting.delete("ana@example.com", "ben@example.com")
    assert setting.cognito.emails == {"ana@example.com", "boss@example.com"}
    assert setting.cognito.emails_in("annotators") == {"boss@example.com"}
    assert set(setting.cognito.groups) == {"annotators"}


def test_a_user_we_made_whom_another_workshop_uses_now_stays(setting: Setting) -> None:
    setting.create("ana@example.com")
    (username,) = setting.cognito.users
    setting.cognito.groups["other-workshop"] = {username}
    setting.delete("ana@example.com")
    assert setting.cognito.emails == {"ana@example.com"}
    assert set(setting.cognito.groups) == {"annotators", "other-workshop"}
    assert setting.cognito.groups["annotators"] == set()


def test_deletion_is_done_when_the_pool_is_gone(setting: Setting) -> None:
    setting.create("ana@example.com")
    setting.cognito.gone = True
    assert setting.delete("ana@example.com")["PhysicalResourceId"] == PHYSICAL_ID


def test_deletion_is_done_when_the_group_is_gone_and_when_repeated(setting: Setting) -> None:
    setting.create("ana@example.com")
    del setting.cognito.groups["annotators"]
    setting.delete("ana@example.com")
    setting.delete("ana@example.com")
    assert setting.cognito.emails == set()


def test_what_a_creation_made_before_it_failed_is_removed_on_rollback(setting: Setting) -> None:
    setting.cognito.refuse("admin_add_user_to_group", "InternalErrorException", "try later")
    with pytest.raises(ResourceFailureError, match="InternalErrorException: try later"):
        setting.create("ana@example.com", "ben@example.com")
    assert setting.cognito.emails == {"ben@example.com"}
    setting.delete("ana@example.com", "ben@example.com")
    assert setting.cognito.emails == set()


def test_a_user_made_by_a_try_that_broke_off_is_still_ours(setting: Setting) -> None:
    event = setting.framework.start(
        resource_event("Create", TYPE, setting.properties("ana@example.com"))
    )
    setting.clock.pass_by(seconds=10)
    # The function died between creating the user and recording it.
    setting.cognito.add_user("ana@example.com", "FORCE_CHANGE_PASSWORD", age_days=0)
    setting.framework.poll(event)
    assert setting.cognito.mails == []
    setting.delete("ana@example.com")
    assert setting.cognito.emails == set()


def test_a_subscribed_worker_is_not_asked_to_confirm_again(setting: Setting) -> None:
    setting.notices.subscriptions["Ana@example.com"] = f"{TOPIC}:confirmed"
    setting.create("ana@example.com")
    assert setting.notices.called("subscribe") == []


def test_without_a_topic_nobody_is_subscribed(setting: Setting) -> None:
    setting.create("ana@example.com", TopicArn="")
    assert setting.notices.calls == []


def test_a_topic_that_cannot_be_read_is_told(setting: Setting) -> None:
    setting.notices.refuse("list_subscriptions_by_topic", "NotFound", "Topic does not exist")
    with pytest.raises(ResourceFailureError, match="NotFound: Topic does not exist"):
        setting.create("ana@example.com")


def test_the_invitation_names_the_portal_and_the_pool_keeps_its_settings() -> None:
    setting = Setting(
        MfaConfiguration="OPTIONAL",
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True, "UnusedAccountValidityDays": 7},
        UserPoolTags={"team": "vision"},
    )
    setting.cognito.factors = {
        "MfaConfiguration": "OPTIONAL",
        "SoftwareTokenMfaConfiguration": {"Enabled": True},
    }
    message = "Sign in at {portal} as {username} with {####}"
    setting.create("ana@example.com", InvitationMessage=message, InvitationSubject="Label with us")
    (sent,) = setting.cognito.called("update_user_pool")
    assert sent["AdminCreateUserConfig"] == {
        "AllowAdminCreateUserOnly": True,
        "InviteMessageTemplate": {
            "EmailMessage": f"Sign in at https://{HOST} as {{username}} with {{####}}",
            "EmailSubject": "Label with us",
        },
    }
    assert sent["Policies"] == {"PasswordPolicy": {"TemporaryPasswordValidityDays": 7}}
    assert sent["UserPoolTags"] == {"team": "vision"}
    # UpdateUserPool refuses it where authenticator apps are the only second factor.
    assert "MfaConfiguration" not in sent
    assert setting.cognito.factors == {
        "MfaConfiguration": "OPTIONAL",
        "SoftwareTokenMfaConfiguration": {"Enabled": True},
    }


def test_an_invitation_that_names_the_portal_is_left_as_it_is() -> None:
    template = {"EmailMessage": f"Go to https://{HOST}, {{username}}, {{####}}"}
    setting = Setting(AdminCreateUserConfig={"InviteMessageTemplate": template})
    setting.create("ana@example.com", InvitationMessage="{portal} {username} {####}")
    assert setting.cognito.called("update_user_pool") == []


def test_an_adopted_pools_invitation_is_left_as_it_is(setting: Setting) -> None:
    setting.create(
        "ana@example.com", ManageClient="false", InvitationMessage="{portal} {username} {####}"
    )
    assert setting.cognito.called("update_user_pool") == []


def test_a_property_that_is_missing_is_named(setting: Setting) -> None:
    properties = setting.properties()
    del properties["Group"]
    with pytest.raises(ResourceFailureError, match="lacks the property Group"):
        setting.framework.run(resource_event("Create", TYPE, properties))
