"""A folder of images is looked through as people name files."""

import os
from pathlib import Path

import pytest

from groundwork.image_folder import ImageFolder, ImageFolderError


def test_spaces_korean_and_signs_in_names_are_fine(tmp_path: Path) -> None:
    names = ["a b.jpg", "한글 이름.PNG", "100%#1?.jpeg", "under/ç&'\".jpg"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    assert sorted(ImageFolder.scan(tmp_path).names) == sorted(names)


def test_names_that_no_manifest_can_hold_are_told(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    with pytest.raises(ImageFolderError, match=r"names that are not in UTF-8: 'caf\\udce9\.jpg'"):
        ImageFolder.scan(tmp_path)


def test_paths_that_no_key_can_hold_are_told(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["x" * 200] * 5)
    deep.mkdir(parents=True)
    (deep / "a.jpg").write_bytes(b"x")
    with pytest.raises(ImageFolderError, match="paths of more than 900 bytes: xxx"):
        ImageFolder.scan(tmp_path)


def test_an_empty_folder_and_a_file_say_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(ImageFolderError, match=r"no image in it; images end in \.jpg, \.jpeg"):
        ImageFolder.scan(tmp_path)
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ImageFolderError, match=r"there is a file at .*, not a folder"):
        ImageFolder.scan(tmp_path / "file")
