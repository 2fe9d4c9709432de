"""The private workforce: made anew with its user pool, or the account's own, and a team in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from groundwork.contract.registry import POOL_TAG_KEY, POOL_TAG_VALUE
from stacks.constructs.functions import LabelingService, PythonProvider
from stacks.policy import acknowledge, allow, arn, service_principal

# The client must exist before the workforce, and the portal's host is known after it; the worker
# access resource, and Ground Truth itself, put the real addresses in.
_PLACEHOLDER_URL = "https://localhost"
# Cognito fills in name and password, the custom resource the portal's address, which only the
# deployment knows.
_INVITATION = (
    "You are invited to label images. Sign in at {portal} as {username} with the temporary "
    "password {####} and choose a password of your own."
)
_WORKER_ACTIONS = (
    "AdminAddUserToGroup",
    "AdminCreateUser",
    "AdminDeleteUser",
    "AdminGetUser",
    "AdminListGroupsForUser",
    "AdminRemoveUserFromGroup",
    "CreateGroup",
    "DeleteGroup",
    "DescribeUserPool",
    "DescribeUserPoolClient",
    "ListUsers",
    "ListUsersInGroup",
)
# The portal's address goes into a pool of the stack's own: its invitation, its app client.
_SETTING_ACTIONS = (
    "GetUserPoolMfaConfig",
    "SetUserPoolMfaConfig",
    "UpdateUserPool",
    "UpdateUserPoolClient",
)


@dataclass(frozen=True)
class Workforce:
    """What a team needs to know about its workforce.

    Parameters
    ----------
    resource
        What has to be there before the team and go after it: the name alone refers to nothing.
    own
        Whether the stack made it.
    """

    resource: IConstruct
    name: str
    sub_domain: str
    user_pool_id: str
    client_id: str
    own: bool


class WorkforceProvider(Construct):
    """The function behind `Custom::Workforce`, `::Workteam` and `::AdoptedWorkforce`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        layers: Sequence[lambda_.ILayerVersion],
        service: LabelingService,
    ) -> None:
        super().__init__(scope, construct_id)
        provider = PythonProvider(
            self,
            "Provider",
            folder="workforce",
            layers=layers,
            environment=service.environment,
            description="Workforce and work team",
        )
        service.allow_calls(provider.role)
        if service.function_arn is None:
            allow(
                provider.role,
                ["sagemaker:ListWorkforces"],
                ["*"],
                because="Listing has no resource to name: it finds the workforce to adopt",
            )
        self.service_token = provider.service_token


class CreatedWorkforce(Construct):
    """A user pool with a sign-in page, and the workforce made of it.

    Parameters
    ----------
    provider
        Makes the workforce in the open engine; None for the native CloudFormation type.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        provider: WorkforceProvider | None,
    ) -> None:
        super().__init__(scope, construct_id)
        pool = self._build_pool()
        domain = pool.add_domain(
            "Domain",
            # Domain names are unique across all accounts of a region.
            cognito_domain=cognito.CognitoDomainOptions(
                domain_prefix=f"{name.lower()}-{cdk.Aws.ACCOUNT_ID}"
            ),
        )
        client = self._build_client(pool, name)
        config = {"ClientId": client.user_pool_client_id, "UserPool": pool.user_pool_id}
        workforce: cdk.CfnResource | cdk.CustomResource
        if provider is None:
            native = sagemaker.CfnWorkforce(
                self,
                "Workforce",
                workforce_name=name,
                cognito_config=sagemaker.CfnWorkforce.CognitoConfigProperty(
                    client_id=config["ClientId"], user_pool=config["UserPool"]
                ),
            )
            workforce, sub_domain = native, native.attr_sub_domain
        else:
            workforce = cdk.CustomResource(
                self,
                "Workforce",
                resource_type="Custom::Workforce",
                service_token=provider.service_token,
                properties={"WorkforceName": name, "CognitoConfig": config},
            )
            sub_domain = workforce.get_att_string("SubDomain")
        # Made after and deleted before the sign-in page, which the pool can't be deleted with.
        workforce.node.add_dependency(domain)
        self.workforce = Workforce(
            workforce, name, sub_domain, pool.user_pool_id, client.user_pool_client_id, own=True
        )

    def _build_pool(self) -> cognito.UserPool:
        pool = cognito.UserPool(
            self,
            "UserPool",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            standard_attributes=cognito.StandardAttributes(
                email=cognito.StandardAttribute(required=True, mutable=True)
            ),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=cdk.Duration.days(7),
            ),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        cdk.Tags.of(pool).add(POOL_TAG_KEY, POOL_TAG_VALUE)
        acknowledge(
            pool,
            "AwsSolutions-COG2",
            "Workers are invited for a workshop and see its images only; a second factor would "
            "keep people with a loaned laptop and no phone of the company out",
        )
        acknowledge(
            pool,
            "AwsSolutions-COG8",
            "The plan with threat protection costs by user and month; workers see the workshop's "
            "images only, and a host who wants it switches it on in the pool",
        )
        return pool

    def _build_client(self, pool: cognito.UserPool, name: str) -> cognito.UserPoolClient:
        return pool.add_client(
            "Client",
            # Ground Truth wants a secret; without a name, some SDKs can't send the client back.
            user_pool_client_name=f"{name}-portal",
            generate_secret=True,
            auth_flows=cognito.AuthFlow(user_srp=True),
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[
                    cognito.OAuthScope.EMAIL,
                    cognito.OAuthScope.OPENID,
                    cognito.OAuthScope.PROFILE,
                ],
                callback_urls=[f"{_PLACEHOLDER_URL}/oauth2/idpresponse"],
                logout_urls=[f"{_PLACEHOLDER_URL}/logout"],
            ),
            supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
            prevent_user_existence_errors=True,
        )


class AdoptedWorkforce(Construct):
    """The private workforce that the account has in this region already; it is never changed."""

    def __init__(self, scope: Construct, construct_id: str, *, provider: WorkforceProvider) -> None:
        super().__init__(scope, construct_id)
        found = cdk.CustomResource(
            self,
            "Workforce",
            resource_type="Custom::AdoptedWorkforce",
            service_token=provider.service_token,
        )
        name, sub_domain, pool, client = (
            found.get_att_string(attribute)
            for attribute in ("WorkforceName", "SubDomain", "UserPool", "ClientId")
        )
        self.workforce = Workforce(found, name, sub_domain, pool, client, own=False)


class WorkTeam(Construct):
    """A team of invited workers, and the topic that tells them about jobs.

    Parameters
    ----------
    provider
        Makes the team in the open engine; None for the native CloudFormation type.
    notifier
        Who tells the team of jobs in the open engine; None for the managed service.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        workforce: Workforce,
        worker_emails: Sequence[str],
        provider: WorkforceProvider | None,
        notifier: iam.IPrincipal | None,
        layers: Sequence[lambda_.ILayerVersion],
        tags: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        group = cognito.CfnUserPoolGroup(
            self,
            "Group",
            user_pool_id=workforce.user_pool_id,
            group_name=f"{name}-workers",
            description=f"Workers of {name}",
        )
        topic = self._build_topic(name, notifier)
        description = f"People who label for {name}"
        team: cdk.CfnResource | cdk.CustomResource
        if provider is None:
            native = sagemaker.CfnWorkteam(
                self,
                "Team",
                workteam_name=name,
                workforce_name=workforce.name,
                description=description,
                member_definitions=[
                    sagemaker.CfnWorkteam.MemberDefinitionProperty(
                        cognito_member_definition=sagemaker.CfnWorkteam.CognitoMemberDefinitionProperty(
                            cognito_user_pool=workforce.user_pool_id,
                            cognito_user_group=group.ref,
                            cognito_client_id=workforce.client_id,
                        )
                    )
                ],
                notification_configuration=sagemaker.CfnWorkteam.NotificationConfigurationProperty(
                    notification_topic_arn=topic.topic_arn
                ),
            )
            team, self.workteam_arn = native, native.ref
        else:
            team = cdk.CustomResource(
                self,
                "Team",
                resource_type="Custom::Workteam",
                service_token=provider.service_token,
                properties={
                    "WorkteamName": name,
                    "WorkforceName": workforce.name,
                    "Description": description,
                    "MemberDefinitions": [
                        {
                            "CognitoMemberDefinition": {
                                "CognitoUserPool": workforce.user_pool_id,
                                "CognitoUserGroup": group.ref,
                                "CognitoClientId": workforce.client_id,
                            }
                        }
                    ],
                    "NotificationConfiguration": {"NotificationTopicArn": topic.topic_arn},
                    "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                },
            )
            self.workteam_arn = team.get_att_string("WorkteamArn")
        team.node.add_dependency(workforce.resource)
        access = self._build_access(workforce, group, topic, worker_emails, layers)
        # The service writes to the client when the first team is made; the access comes after it.
        access.node.add_dependency(team)
        self.portal_url = access.get_att_string("PortalUrl")

    def _build_topic(self, name: str, notifier: iam.IPrincipal | None) -> sns.Topic:
        topic = sns.Topic(
            self, "JobNotices", display_name=f"Labeling jobs of {name}", enforce_ssl=True
        )
        # https://docs.aws.amazon.com/sagemaker/latest/dg/sms-workforce-management-private-sns.html
        managed = service_principal("sagemaker", source=arn("sagemaker", "workteam/*"))
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[notifier or managed],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
            )
        )
        return topic

    def _build_access(
        self,
        workforce: Workforce,
        group: cognito.CfnUserPoolGroup,
        topic: sns.Topic,
        worker_emails: Sequence[str],
        layers: Sequence[lambda_.ILayerVersion],
    ) -> cdk.CustomResource:
        provider = PythonProvider(
            self,
            "AccessProvider",
            folder="worker_access",
            layers=layers,
            environment={},
            description="Sign-in addresses and invited workers",
        )
        actions = _WORKER_ACTIONS + (_SETTING_ACTIONS if workforce.own else ())
        allow(
            provider.role,
            [f"cognito-idp:{action}" for action in actions],
            [arn("cognito-idp", f"userpool/{workforce.user_pool_id}")],
        )
        allow(provider.role, ["sns:Subscribe", "sns:ListSubscriptionsByTopic"], [topic.topic_arn])
        allow(
            provider.role,
            ["sns:Unsubscribe"],
            ["*"],
            because="IAM knows no resource for this action; one needs the subscription's own ARN",
        )
        return cdk.CustomResource(
            self,
            "Access",
            resource_type="Custom::WorkerAccess",
            service_token=provider.service_token,
            properties={
                "SubDomain": workforce.sub_domain,
                "UserPool": workforce.user_pool_id,
                "ClientId": workforce.client_id,
                "Group": group.ref,
                "WorkerEmails": list(worker_emails),
                "ManageClient": str(workforce.own).lower(),
                "TopicArn": topic.topic_arn,
                "InvitationSubject": "Invitation to label images",
                "InvitationMessage": _INVITATION,
            },
        )
