"""What is shown of the CDK CLI's output, and what is kept of its failures."""

from groundwork.local.cloud import _failure, _Progress

CREATED = (
    "Groundwork | 24/81 | 10:11:05 AM | CREATE_COMPLETE         | AWS::IAM::Role      "
    "             | WorkTeam/AccessProvider/Role (WorkTeamAccessProviderRole6A779FEC) \n"
)


def line(status: str, kind: str, counter: str = " 3/81") -> str:
    reason = "Some/Path (Id) Why it is so"
    return f"Demo | {counter} | 10:11:05 AM | {status:<23} | {kind:<32} | {reason}\n"


def test_a_finished_resource_is_shown_with_its_count() -> None:
    assert _Progress().of(CREATED, 0.0) == "  Groundwork 24/81: AWS::IAM::Role created"


def test_of_a_burst_only_the_first_and_what_takes_long_are_shown() -> None:
    progress = _Progress()
    assert progress.of(line("CREATE_COMPLETE", "AWS::IAM::Role"), 10.0) is not None
    assert progress.of(line("CREATE_COMPLETE", "AWS::IAM::Policy"), 10.1) is None
    assert progress.of(line("CREATE_COMPLETE", "Custom::LabelingJob"), 10.2) == (
        "  Demo 3/81: Custom::LabelingJob created"
    )
    assert progress.of(line("CREATE_COMPLETE", "AWS::IAM::Policy"), 12.0) is not None


def test_deletions_have_no_total() -> None:
    shown = _Progress().of(line("DELETE_COMPLETE", "AWS::SNS::Topic", "   2"), 0.0)
    assert shown == "  Demo: AWS::SNS::Topic deleted"


def test_failures_are_always_shown_with_their_reason() -> None:
    progress = _Progress()
    progress.of(line("CREATE_COMPLETE", "AWS::IAM::Role"), 10.0)
    assert progress.of(line("CREATE_FAILED", "AWS::IAM::Role"), 10.0) == (
        "  Demo: AWS::IAM::Role CREATE_FAILED: Some/Path (Id) Why it is so"
    )


def test_other_lines_are_not_shown() -> None:
    progress = _Progress()
    assert progress.of("Groundwork: deploying... [1/1]\n", 0.0) is None
    assert progress.of(line("CREATE_IN_PROGRESS", "AWS::IAM::Role"), 0.0) is None


def test_a_failure_is_told_by_what_was_said_last_without_progress() -> None:
    said = ["The configuration has 1 problem", "  - labels: none", "", CREATED, "exited with 1"]
    assert _failure(said) == ("The configuration has 1 problem\n  - labels: none\nexited with 1")
    assert _failure(str(number) for number in range(30)).splitlines()[0] == "10"
