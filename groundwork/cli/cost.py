"""What labeling costs, before and after."""

from pathlib import Path

import click

from groundwork.cli.places import chosen_s3, local_option
from groundwork.cli.results import label_attribute_option
from groundwork.cli.terminal import (
    json_option,
    print_json,
    print_rows,
    progress_bar,
    say,
    told_plainly,
)
from groundwork.costs.estimate import JobPlan, plan_job, read_configuration
from groundwork.costs.ledger import Bill, job_usage
from groundwork.costs.prices import AS_OF
from groundwork.costs.usage import Usage
from groundwork.results.agreement import read_work
from groundwork.results.output_tree import open_output
from groundwork.results.report import make_report
from groundwork.results.rounds import read_rounds


@click.command()
@click.argument("place", required=False)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Before a job: the workshop's configuration, a YAML file.",
)
@click.option(
    "--objects", type=click.IntRange(1), help="Before a job: how many, instead of counting them."
)
@click.option(
    "--machine-share",
    type=click.FloatRange(0, 1),
    help="Before a job: the share that the machine will label. By default a third if the "
    "configuration asks for automated labeling, as in AWS's own example.",
)
@click.option(
    "--seconds",
    "seconds_per_answer",
    type=click.FloatRange(0, min_open=True),
    help="Before a job: a person's seconds for one image. By default 20 for boxes, 5 for a class.",
)
@click.option(
    "--hourly-wage",
    type=click.FloatRange(0),
    metavar="USD",
    help="What an hour of a worker's time costs; without it the time is told, and no price of it.",
)
@label_attribute_option
@local_option
@json_option
@told_plainly
def cost(
    *,
    place: str | None,
    config: Path | None,
    objects: int | None,
    machine_share: float | None,
    seconds_per_answer: float | None,
    hourly_wage: float | None,
    label_attribute: str | None,
    on_local_cloud: bool,
    as_json: bool,
) -> None:
    """Show what labeling costs, beside Ground Truth's published price for the same.

    With a PLACE, as `groundwork results` takes it, what that job used: minutes of people, labels,
    compute, storage. Without one an estimate, from the workshop's configuration. Example:

    \b
        groundwork cost --config workshop.yaml --hourly-wage 15
        groundwork cost --objects 5000 --machine-share 0.5
        groundwork cost s3://my-bucket/output/my-job
    """
    given = {"config": config, "objects": objects, "machine_share": machine_share}
    given["seconds_per_answer"] = seconds_per_answer
    client = chosen_s3(on_local_cloud)
    plan = None
    if place is None:
        plan = plan_job(
            read_configuration(config),
            objects=objects,
            machine_share=machine_share,
            seconds_per_answer=seconds_per_answer,
            client=client,
        )
        usage = plan.usage()
    elif any(value is not None for value in given.values()):
        raise click.UsageError(
            "--config, --objects, --machine-share and --seconds are for an estimate, without PLACE."
        )
    else:
        output = open_output(place, client)
        with progress_bar("Counting", output.size(), "bytes") as progress:
            report = make_report(output, label_attribute=label_attribute, progress=progress)
        _, workers = read_work(output)
        usage = job_usage(output, report, workers.values(), read_rounds(output))
    bill = Bill(usage, hourly_wage)
    if as_json:
        print_json({"estimate": plan is not None, **bill.to_dict()})
    else:
        _show(bill, plan)


def _show(bill: Bill, plan: JobPlan | None) -> None:
    usage = bill.usage
    if plan is not None:
        _show_assumptions(plan)
    rows: list[tuple[str, str]] = [
        ("labels by people", f"{usage.human:,}"),
        ("labels by machine", f"{usage.machine:,}"),
        ("answers", f"{usage.answers:,}"),
        ("people's time", _duration(usage)),
    ]
    if bill.people_usd is not None:
        rows.append(("people's time at that wage", _usd(bill.people_usd)))
    print_rows(rows)
    say("")
    print_rows(
        [(item.name, item.amount_text, _usd(item.usd)) for item in usage.engine_items()]
        + [("open engine, with a month of storage", "", _usd(bill.engine_usd))]
        + [("Ground Truth's published price, the same", "", _usd(bill.ground_truth_usd))],
        ("what", "how much", "USD"),
    )
    say("")
    say(
        f"Prices of {AS_OF:%Y-%m-%d} for us-east-1, without free tiers, discounts and taxes. "
        f"Labels, answers, time and storage (of {usage.stored}) are counted or planned; the other "
        "amounts are reckoned from them. Ground Truth's training and inference would come on top "
        "of its price."
    )


def _show_assumptions(plan: JobPlan) -> None:
    say(
        f"Estimate for {plan.objects:,} objects ({plan.task_type}), {plan.workers_per_object} "
        f"workers for each, {plan.seconds_per_answer:g} seconds for an answer"
        + (f", {plan.machine_share:.0%} of them by machine" if plan.is_automated else "")
    )
    say("")


def _duration(usage: Usage) -> str:
    if not usage.answer_seconds:
        return "unknown"
    minutes = usage.answer_seconds / 60
    return f"{minutes:,.0f} minutes ({minutes / 60:,.1f} hours)"


def _usd(amount: float) -> str:
    return f"{amount:,.2f}" if amount >= 0.1 or not amount else f"{amount:.4f}"
