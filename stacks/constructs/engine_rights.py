"""Rights that several of the engine's functions have."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from groundwork.contract.registry import POOL_TAG_KEY, POOL_TAG_VALUE
from stacks.policy import allow, arn

# Of open tasks, in the order in which they may be taken.
AVAILABLE_INDEX = "available"


def allow_table(role: iam.Role, table: dynamodb.Table, *actions: str) -> None:
    """Let a function do what it does with the engine's table; a transaction is its single parts."""
    allow(role, [f"dynamodb:{action}" for action in actions], [table.table_arn])


def allow_index(role: iam.Role, table: dynamodb.Table) -> None:
    """Let a function look for open tasks."""
    allow(role, ["dynamodb:Query"], [f"{table.table_arn}/index/{AVAILABLE_INDEX}"])


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


def allow_callers(role: iam.Role) -> None:
    """Let a function ask whether a caller may pass a role, which it must not decide by itself."""
    roles, users = arn("iam", "role/*", region=""), arn("iam", "user/*", region="")
    because = "Any user or role of the account may be who calls; nothing of theirs can be changed"
    allow(role, ["iam:SimulatePrincipalPolicy"], [roles, users], because=because)
    allow(role, ["iam:GetRole"], [roles], because=because)


def allow_sign_in(role: iam.Role, *actions: str) -> None:
    """Let a function look at the user pools that workforces are made of."""
    allow(
        role,
        [f"cognito-idp:{action}" for action in actions],
        [arn("cognito-idp", "userpool/*")],
        because="CreateWorkforce names any user pool of the account that its owner tagged for it",
        conditions={"StringEquals": {f"aws:ResourceTag/{POOL_TAG_KEY}": POOL_TAG_VALUE}},
    )


def allow_task_answers(scope: Construct, role: iam.Role, state_machine_arn: str) -> None:
    """Let a function wake a loop that waits for people.

    In a policy of its own: the machine comes after its functions, and these after their role's own
    policy.

    The service authorization reference knows no resource for the action, but the service itself
    checks it on the state machine whose execution waits, and CDK grants it so:
    https://github.com/aws/aws-cdk/pull/8486
    """
    iam.Policy(
        scope,
        "TaskAnswersPolicy",
        roles=[role],
        statements=[
            iam.PolicyStatement(actions=["states:SendTaskSuccess"], resources=[state_machine_arn])
        ],
    )
