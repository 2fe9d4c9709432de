"""The text of a failure, as the user reads it in the stack's events."""

import json

from groundwork.custom_resources.failure import (
    REASON_BYTES,
    failure,
    failure_of_many,
    refusal,
)
from groundwork.service import ServiceRefusedError


def size_of(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode())


def test_a_failure_tells_what_failed_what_the_service_said_and_what_to_do() -> None:
    said = ServiceRefusedError("create_workteam", "ValidationException", "Group a/b\nnot found.")
    text = str(failure("The work team T could not be created.", said=said, to_do="deploy again."))
    assert text == (
        "The work team T could not be created.\n"
        "The service said: ValidationException: Group a/b\nnot found.\n"
        "To do: deploy again."
    )


def test_a_failure_without_a_service_says_nothing_of_one() -> None:
    assert str(failure("No SubDomain.", to_do="wait.")) == "No SubDomain.\nTo do: wait."


def test_a_long_answer_is_cut_while_the_advice_stays() -> None:
    said = ServiceRefusedError("x", "ValidationException", 'é"\n' * 5000)
    text = str(failure("It failed.", said=said, to_do="do this."))
    assert size_of(text) <= REASON_BYTES + 2
    assert text.startswith('It failed.\nThe service said: ValidationException: é"')
    assert text.endswith(" ...\nTo do: do this.")


def test_many_problems_fit_with_a_count_of_the_rest() -> None:
    problems = [f"image s3://bucket/{'x' * 100}/{number}.jpg: is a GIF" for number in range(100)]
    text = str(failure_of_many("100 problems.", problems, to_do="correct them."))
    assert size_of(text) <= REASON_BYTES + 2
    shown = text.count("image s3://")
    assert "\n1. image s3://" in text
    assert f"... and {100 - shown} more; all are in the function's log." in text
    assert text.endswith("To do: correct them.")


def test_one_endless_problem_leaves_room_for_the_others() -> None:
    text = str(failure_of_many("2 problems.", ["x" * 9000, "the second"], to_do="go."))
    assert "2. the second" in text
    assert size_of(text) <= REASON_BYTES + 2


def test_an_access_refusal_of_ground_truth_hints_at_the_open_engine() -> None:
    words = "User: arn:aws:sts::1:x is not authorized to perform: sagemaker:CreateLabelingJob"
    error = ServiceRefusedError("create_labeling_job", "AccessDeniedException", words)
    text = str(refusal("Refused.", error, engine="ground-truth"))
    assert f"AccessDeniedException: {words}" in text
    assert "no new customers since 30 July 2026" in text
    assert "engine=open" in text


def test_the_open_engine_is_not_advised_to_those_who_use_it() -> None:
    error = ServiceRefusedError("create_labeling_job", "AccessDeniedException", "no")
    assert "30 July" not in str(refusal("Refused.", error, engine="open"))


def test_a_refusal_in_other_words_about_new_customers_gets_the_hint() -> None:
    error = ServiceRefusedError("x", "ValidationException", "Not available to New Customers.")
    assert "engine=open" in str(refusal("Refused.", error, engine="ground-truth"))


def test_other_refusals_get_no_hint_about_access() -> None:
    error = ServiceRefusedError("x", "ValidationException", "bad name")
    text = str(refusal("Refused.", error, engine="ground-truth"))
    assert "engine=open" not in text
    assert text.endswith("To do: correct what the service names and deploy again.")
