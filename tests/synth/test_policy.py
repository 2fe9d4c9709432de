"""cdk-nag's findings: each explained beside its resource, and each explanation still needed."""

from tests.support.synthesis import Acknowledgement, Assembly


def test_every_finding_is_acknowledged(each_variant: Assembly) -> None:
    """Nothing that a rule pack or the library objects to is left without a reason."""
    open_findings = [
        finding
        for finding in each_variant.findings
        if not any(each.covers(finding) for each in each_variant.acknowledgements)
    ]

    assert open_findings == []


def test_every_acknowledgement_is_still_needed(each_variant: Assembly) -> None:
    """A reason that excuses nothing would excuse something one day."""
    idle = {
        each
        for each in each_variant.acknowledgements
        if not any(each.covers(finding) for finding in each_variant.findings)
    }

    assert idle == set()


def test_every_reason_is_a_sentence_of_its_own(each_variant: Assembly) -> None:
    """A reviewer has something to reject."""
    for each in each_variant.acknowledgements:
        assert len(each.reason.split()) >= 8, each


def test_no_acknowledgement_covers_a_whole_stack(each_variant: Assembly) -> None:
    """Each sits beside its resource."""
    wide = [each for each in each_variant.acknowledgements if _is_stack_wide(each)]

    assert wide == []


def _is_stack_wide(each: Acknowledgement) -> bool:
    return "/" not in each.construct_path
