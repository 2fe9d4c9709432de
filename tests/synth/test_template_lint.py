"""cfn-lint's opinion of every template."""

from cfnlint.api import ManualArgs, lint_by_config

from tests.support.synthesis import Assembly

_IGNORED = [
    # CDK writes out dependencies that references imply as well.
    "W3005",
    # The progress command names the engine's function, which is in the other stack.
    "W6001",
]


def test_templates_pass_cfn_lint(each_variant: Assembly) -> None:
    """Types, properties and values as CloudFormation's own schemas have them."""
    templates = sorted(str(path) for path in each_variant.folder.glob("*.template.json"))
    found = lint_by_config(ManualArgs(templates=templates, ignore_checks=_IGNORED))

    assert [f"{match.rule.id} {match.filename}: {match.message}" for match in found] == []
