"""The bill of materials names what the lock names."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

from tests.support.optional import missing

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements" / "runtime.txt"


def test_every_package_of_the_lock_is_in_it_with_its_version(tmp_path: Path) -> None:
    if importlib.util.find_spec("cyclonedx_py") is None:
        missing("cyclonedx-bom is not installed: make lock, then make test")
    out = tmp_path / "sbom.json"
    options = ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--of", "JSON", "-o", str(out)]
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(LOCK), *options]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    told = json.loads(out.read_text(encoding="utf-8"))
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;\\\\]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    assert told["bomFormat"] == "CycloneDX"
    assert {each["name"]: each["version"] for each in told["components"]} == locked
