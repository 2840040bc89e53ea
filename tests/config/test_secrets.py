"""A secret is a file that only its owner may read."""

from __future__ import annotations

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
    with pytest.raises(SecretError, match="No such file"):
        read_secret(tmp_path / "token")
    with pytest.raises(SecretError, match="directory"):
        read_secret(tmp_path)
