"""Libraries of C that stand in front of the C library of a process: compiled where they are needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


class NoCompiler(Exception):
    """There is nothing here that makes a library of C; the text says what is needed."""


def library(name: str, folder: Path) -> Path:
    """`name.c` beside this file, compiled into the folder. Raises NoCompiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        raise NoCompiler("no C compiler on a Linux: apt install gcc")
    made, source = folder / f"{name}.so", Path(__file__).with_name(f"{name}.c")
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NoCompiler(f"the C compiler does not make the library: {done.stderr.strip()[:300]}")
    return made
