"""Settings from the command line and from YAML: a configuration, or everything wrong with it."""

import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from stacks.config import ConfigurationError, WorkshopConfig
from tests.support.fuzzing import ODD_TEXTS, ODD_VALUES, damaged, hostile, mutated

SETTINGS: list[Any] = [
    {
        "engine": "open",
        "name": "logos",
        "region": "us-east-1",
        "images": "photos",
        "labels": ["DHL", "한글, \"quoted\" 'label'", "🐶"],
        "worker_emails": ["ana@example.com", "min su@example.com"],
        "workers_per_object": 3,
        "auto_labeling": True,
        "auto_labeling_target": 0.7,
        "tags": {"team": "a", "cost center": 7},
    },
    {
        "engine": "ground-truth",
        "manifest": "s3://bucket/in.manifest",
        "image_buckets": ["bucket-2"],
        "task_type": "image-classification",
        "labels": "cat,dog",
        "template": "template.html",
        "work_team_arn": "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/a",
        "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/a-b",
        "max_labeled_percentage": "50",
        "sample_count": 5,
        "workforce": "adopt",
        "title": "Title",
        "short_instructions": "one\n\ntwo",
    },
]
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % (n, n, *[n - 1] * 9)
    for n in range(ord("b"), ord("p"))
)
YAML: list[bytes] = [
    BOMB + b"".join(each.name.encode() + b": *o\n" for each in fields(WorkshopConfig)),
    b"labels: &a [*a]",
    b"labels:\n" + b"- " * 3_000,
    b"name: !!python/object/apply:os.system [ls]",
    b"name: !!timestamp x",
    b"name: !!int x",
    b"workers_per_object: !!binary aGk=",
    b"workers_per_object: 0x" + b"f" * 9_000,
    b"workers_per_object: " + b"9" * 5_000,
    b"auto_labeling_target: 1" + b"0" * 400,
    b"tags: {1: 2026-11-27, null: [x]}",
    b"tags: {0x" + b"f" * 9_000 + b": a}",
    b"? [a]\n: b",
    b"<<: x",
    b"a: 1\n---\nb: 2",
    b"labels: [no, yes, 7]",
    "labels: [고양이, 개]".encode("utf-16"),
    b"\xef\xbb\xbfname: a\r\nengine: open\r\n",
    b"%YAML 9.9\n---\n",
    b"\x00",
]


def read(folder: Path, context: dict[str, Any]) -> None:
    try:
        config = WorkshopConfig.from_context(context, folder)
    except ConfigurationError as error:
        assert error.problems
        assert len(str(error)) < 3_000 * len(error.problems) + 300
    else:
        assert all(config.warnings().values())
        assert config.object_count is None or config.object_count > 0


@st.composite
def contexts(draw: st.DrawFn) -> dict[str, Any]:
    """Draw settings as the CDK's context has them, some with values that nobody meant."""
    drawn = draw(mutated(SETTINGS))
    context = drawn if isinstance(drawn, dict) and draw(st.booleans()) else {}
    names = [each.name for each in fields(WorkshopConfig)]
    odd = st.one_of(ODD_VALUES, st.sampled_from(["~nobody/x", "a\0b", "x" * 5_000, "[" * 5_000]))
    context |= draw(st.dictionaries(st.sampled_from(names), odd, max_size=4))
    if draw(st.booleans()):
        context[draw(st.sampled_from([*ODD_TEXTS, "config", "work_emails", "Labels"]))] = draw(odd)
    return {str(key): value for key, value in context.items()}


@st.composite
def yaml_files(draw: st.DrawFn) -> bytes:
    """Draw a settings file."""
    how = draw(st.integers(0, 3))
    if how == 0:
        return draw(st.sampled_from(YAML))
    data = yaml.safe_dump(draw(mutated(SETTINGS)), allow_unicode=True).encode()
    return draw(damaged(data)) if how == 1 else data


def folder_of(name: str) -> Path:
    folder = Path(name)
    (folder / "photos").mkdir()
    (folder / "photos" / "a b.jpg").write_bytes(b"x")
    (folder / "template.html").write_bytes(b"<crowd-form></crowd-form>{{ \xff")
    return folder


@hostile
@given(contexts())
def test_any_settings_are_a_configuration_or_told(context: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        read(folder_of(name), context)


@hostile
@given(yaml_files())
def test_any_settings_file_is_a_configuration_or_told(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = folder_of(name)
        (folder / "workshop.yaml").write_bytes(data)
        read(folder, {"config": "workshop.yaml"})


def test_every_odd_settings_file_is_told() -> None:
    for data in YAML:
        with tempfile.TemporaryDirectory() as name:
            folder = folder_of(name)
            (folder / "workshop.yaml").write_bytes(data)
            read(folder, {"config": "workshop.yaml"})
