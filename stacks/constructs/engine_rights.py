"""Rights that several of the engine's functions have."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from stacks.policy import acknowledge_wildcards, allow, arn


def allow_job_roles(role: iam.Role) -> None:
    """Let a function assume the role that a job brings, which must trust the function, too."""
    allow(
        role,
        ["sts:AssumeRole"],
        [arn("iam", "role/*", region="")],
        because="A job brings any role of the account; that role's own trust policy decides",
    )
    # The CDK's deployment roles trust the whole account, so their trust policy would not refuse.
    # https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
    role.add_to_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=["sts:AssumeRole"],
            resources=[arn("iam", "role/cdk-*", region="")],
        )
    )


def allow_sign_in(role: iam.Role, *actions: str) -> None:
    """Let a function look at the user pools that workforces are made of."""
    allow(
        role,
        [f"cognito-idp:{action}" for action in actions],
        [arn("cognito-idp", "userpool/*")],
        because="CreateWorkforce names any user pool of the account",
    )


def allow_task_answers(role: iam.Role) -> None:
    """Let a function wake a loop that waits for people."""
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
    allow(
        role,
        ["states:SendTaskSuccess"],
        ["*"],
        because="IAM knows no resource for this action; the task's token says which loop is meant",
    )


def acknowledge_index(role: iam.Role, table: dynamodb.Table) -> None:
    """Accept that a grant on a table covers its indexes."""
    reason = "The grant covers the table's indexes, of which there is one, made for these functions"
    acknowledge_wildcards(role, reason, f"{table.table_arn}/index/*")
