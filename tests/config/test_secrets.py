"""A secret is a file that only its owner may read."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from config import SecretError, read_secret


def secret(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_line_end_is_not_part_of_the_secret(tmp_path: Path) -> None:
    assert read_secret(secret(tmp_path, b" s3cr t \r\n")) == " s3cr t "


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o644])
def test_a_file_that_others_could_use_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    path = secret(tmp_path, b"s3cret", mode)
    with pytest.raises(SecretError, match="can be read by others: chmod 600 ") as caught:
        read_secret(path)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff", "UTF-8"), (b"x" * 70_000, "too long")],
)
def test_what_can_not_be_a_secret_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(SecretError, match=why):
        read_secret(secret(tmp_path, content))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="is not there"):
        read_secret(tmp_path / "token")
    with pytest.raises(SecretError, match="directory"):
        read_secret(tmp_path)


@pytest.mark.parametrize("place", ["token", "secrets/token"])
def test_a_missing_secret_is_told_with_the_commands_that_make_it(tmp_path: Path, place: str) -> None:
    with pytest.raises(SecretError, match="is not there") as caught:
        read_secret(tmp_path / place)
    told = re.search(r"make it \((.*)\) and write the secret into it", str(caught.value))
    assert told
    for command in told[1].split(", then "):
        subprocess.run(shlex.split(command), check=True)
    with pytest.raises(SecretError, match="is empty: write the secret into it"):
        read_secret(tmp_path / place)
    (tmp_path / place).write_text("s3cret\n")
    assert read_secret(tmp_path / place) == "s3cret"


def test_a_credential_of_systemd_may_show_rights_of_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given by an access list, which shows there; rights of all others are refused as ever."""
    path = secret(tmp_path, b"s3cret", 0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_secret(path) == "s3cret"
    path.chmod(0o444)
    with pytest.raises(SecretError, match="by others"):
        read_secret(path)
    path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "elsewhere"))
    with pytest.raises(SecretError, match="by others"):
        read_secret(path)


def test_a_secret_that_is_a_pipe_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "secret", 0o600)
    with pytest.raises(SecretError, match="is not a file"):
        read_secret(tmp_path / "secret")
