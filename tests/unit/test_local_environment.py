"""What the emulator and its tools see of the user's environment."""

import os
import socket
from pathlib import Path

import pytest

from groundwork.local.cloud import LocalCloud, project_root
from groundwork.local.emulator import (
    LocalCloudError,
    clean_environment,
    free_port,
    port_is_free,
    port_owner,
)


def test_nothing_of_the_users_aws_account_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "123456789012")
    monkeypatch.setenv("EDITOR", "vi")
    environment = clean_environment()
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert "CDK_DEFAULT_ACCOUNT" not in environment
    assert environment["EDITOR"] == "vi"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_the_local_cloud_is_not_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    assert clean_environment()["NO_PROXY"] == "intranet.example,localhost,127.0.0.1,.localhost"


def test_tools_are_led_to_the_emulator() -> None:
    cloud = LocalCloud(Path("/project"), port=4999)
    environment = cloud.environment()
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4999"
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert environment["CDK_DEFAULT_ACCOUNT"] == "000000000000"


def test_clients_do_not_read_the_users_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.example.com")
    client = LocalCloud(Path("/project"), port=4999).client("s3")
    assert client.meta.endpoint_url == "http://127.0.0.1:4999"


def test_a_taken_port_names_its_owner() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not port_is_free(port)
        assert free_port(port) > port
        assert f"process {os.getpid()} " in port_owner(port)


def test_the_project_is_found_from_below_it(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text("{}")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert project_root(below) == tmp_path.resolve()


def test_a_folder_without_project_uses_the_installed_one(tmp_path: Path) -> None:
    assert (project_root(tmp_path) / "cdk.json").is_file()


def test_starting_on_a_taken_port_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        cloud = LocalCloud(tmp_path, tmp_path / "cloud", listener.getsockname()[1])
        with pytest.raises(LocalCloudError, match=r"Port \d+ is taken by process .* --port \d+"):
            cloud.start()


def test_a_lock_that_nobody_holds_means_not_running(tmp_path: Path) -> None:
    cloud = LocalCloud(tmp_path, tmp_path / "cloud")
    assert not cloud.attach()
    cloud.folder.mkdir()
    # A killed emulator leaves its lock file, with a process id that may be another's by now.
    (cloud.folder / "emulator.lock").write_text(f'{{"pid": {os.getpid()}, "port": 4566}}')
    assert not cloud.attach()
