"""Groundwork's app: one stack for Ground Truth, two with the open engine."""

import sys
from pathlib import Path

import aws_cdk as cdk

from stacks.config import ENGINE_STACK_NAME, OPEN, ConfigurationError, WorkshopConfig
from stacks.engine_stack import EngineStack
from stacks.staging import NotBuiltError
from stacks.workshop_stack import WorkshopStack


def build(app: cdk.App) -> WorkshopStack:
    """Add the configured stacks and the policy checks to an app; return the workshop's stack."""
    config = WorkshopConfig.from_context(app.node.get_all_context(), root=Path.cwd())
    environment = cdk.Environment(region=config.region)
    engine = None
    if config.engine == OPEN:
        engine = EngineStack(
            app, ENGINE_STACK_NAME, operator_emails=config.operator_emails, env=environment
        )
    workshop = WorkshopStack(app, config.name, config=config, engine=engine, env=environment)
    for key, value in config.tags.items():
        cdk.Tags.of(app).add(key, value)
    if config.policy_checks:
        # Loaded only then: it takes a sixth of a synthesis, and the tests prove every flavour.
        from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415

        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return workshop


def main() -> None:
    """Synthesize what the CDK CLI asks for."""
    app = cdk.App()
    try:
        build(app)
    except (ConfigurationError, NotBuiltError) as error:
        sys.exit(str(error))
    app.synth()


if __name__ == "__main__":
    main()
