"""The peer: ThingsBoard IoT Gateway from PyPI in an environment of its own, set up as well as it can be."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.landed.devices import Missing
from bench.landed.running import Program
from bench.landed.stored import Stored
from bench.landed.work import Work
from bench.processes import ROOT

VERSION = "3.8.5"
DURABILITY = "NORMAL"  # what its storage opens SQLite with: a power cut may take what was committed last
ENVIRONMENT = ROOT / ".bench-peers" / f"thingsboard-gateway-{VERSION}"
# The last three it would install by itself while it works.
_PACKAGES = (f"thingsboard-gateway=={VERSION}", "pymodbus==3.9.2", "pyserial==3.5", "pyserial-asyncio==0.6")
_INSTALLING = 600.0  # seconds
_WIDEST = 125  # registers in one request


def installed(environment: Path = ENVIRONMENT) -> Path:
    """Its Python, from an earlier time or installed now. Raises Missing with the end of what pip said."""
    python = environment / "bin" / "python"
    whole = environment / "whole"
    if whole.exists():
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True, capture_output=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *_PACKAGES],
            check=True, capture_output=True, timeout=_INSTALLING,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Missing(f"ThingsBoard IoT Gateway {VERSION} was not installed within {_INSTALLING:g} s") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()[-300:]
        raise Missing(f"ThingsBoard IoT Gateway {VERSION} can not be installed: {said}") from error
    whole.touch()
    return python


def program(work: Work, ports: Sequence[int], folder: Path, python: Path, broker: int) -> Program:
    """How it is started; `broker` is the port of its server, which may not be there."""
    for name in ("config", "data", "logs"):
        (folder / name).mkdir()
    known = next(python.parents[1].glob("lib/*/site-packages/thingsboard_gateway/config"))
    _write(folder, "tb_gateway.json", _gateway(_read(known, "tb_gateway.json"), folder, broker))
    _write(folder, "logs.json", _logs(_read(known, "logs.json"), folder))
    slaves = [_slave(work, number, port) for number, port in enumerate(ports)]
    _write(folder, "modbus.json", {"master": {"slaves": slaves}, "name": "mb", "logLevel": "ERROR", "id": "mb"})
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(python), "-c", "from thingsboard_gateway.tb_gateway import main; main()"]
    return Program("ThingsBoard", command, folder, kept | {"TB_GW_CONFIG_DIR": f"{folder / 'config'}/"})


def stored(folder: Path) -> Stored:
    """What is in its database."""
    found = Stored()
    for path in sorted((folder / "data").glob("*.db")):
        with closing(sqlite3.connect(path)) as conn:
            if conn.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'messages'").fetchone() == (0,):
                continue
            for (message,) in conn.execute("SELECT message FROM messages ORDER BY id"):
                _add(json.loads(message), found)
    return found


def _add(told: dict[str, Any], found: Stored) -> None:
    rows = told.get("telemetry", [])
    device = int(told["deviceName"].removeprefix("d"))
    for row in rows if isinstance(rows, list) else [rows]:
        for name, value in row["values"].items():
            found.add((device, int(name.partition("_")[2])), row["ts"] * 1000, int(value))


def _read(known: Path, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((known / name).read_text("utf-8"))
    return told


def _write(folder: Path, name: str, told: Any) -> None:
    (folder / "config" / name).write_text(json.dumps(told), encoding="utf-8")


def _gateway(told: dict[str, Any], folder: Path, broker: int) -> dict[str, Any]:
    """Its own file with no limits, no statistics, every value reported, and SQLite to store in."""
    limits = ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits",
              "deviceRateLimits", "deviceDpRateLimits")  # fmt: skip
    told["thingsboard"] |= {
        "host": "127.0.0.1", "port": broker, "remoteConfiguration": False, "statistics": {"enable": False},
        "reportStrategy": {"type": "DISABLED"}, "minPackSendDelayMS": 0,
        "security": {"type": "accessToken", "accessToken": "x"}, **dict.fromkeys(limits, "0:0,"),
    }  # fmt: skip
    told["storage"] = {
        "type": "sqlite", "data_file_path": f"{folder / 'data'}/", "messages_ttl_check_in_hours": 1,
        "messages_ttl_in_days": 7, "max_read_records_count": 1000, "size_limit": 4096, "max_db_amount": 10,
        "oversize_check_period": 1, "writing_batch_size": 1000,
    }  # fmt: skip
    told["connectors"] = [{"type": "modbus", "name": "mb", "configuration": "modbus.json"}]
    return told


def _logs(told: dict[str, Any], folder: Path) -> dict[str, Any]:
    for handler in told["handlers"].values():
        if "filename" in handler:
            handler["filename"] = handler["filename"].replace("./logs", str(folder / "logs"))
    for logger in told["loggers"].values():
        logger["level"] = "ERROR"
    return told


def _slave(work: Work, number: int, port: int) -> dict[str, Any]:
    return {
        "host": "127.0.0.1", "port": port, "type": "tcp", "method": "socket", "unitId": 1,
        "deviceName": f"d{number}", "deviceType": "default", "timeout": 5, "byteOrder": "BIG", "wordOrder": "BIG",
        "retries": 1, "pollPeriod": round(work.interval * 1000), "connectAttemptTimeMs": 500,
        "connectAttemptCount": 5, "waitAfterFailedAttemptsMs": 30000, "attributes": [],
        "timeseries": _entries(work), "attributeUpdates": [], "rpc": [],
    }  # fmt: skip


def _entries(work: Work) -> list[dict[str, Any]]:
    """An entry for each register, or a wide one for each group, which it reads in one request."""
    kind = {"type": "16uint", "functionCode": 3, "objectsCount": 1}
    if work.one_by_one:
        return [{"tag": f"r_{at}", "address": at, **kind} for at in work.addresses()]
    return [
        {"tag": f"r{first}_${{address}}", "address": f"{first}-{last}", "maxRegistersPerRequest": _WIDEST, **kind}
        for first, last in work.blocks()
    ]
