"""A secret of the site file is nowhere but in its own file and on the line to the ERP."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from edge_agent.__main__ import main
from edge_agent.client import AgentClient
from tests.agent.person import Person
from tests.agent.running import AgentProcess, ask, plant_in, short_folder, site_text, until, wait
from tests.agent.test_access import free_port
from tests.support.erp_process import TOKEN

PASSWORD = "canary-password-1f6b"
API_TOKEN = "canary-api-token-93c2"
OPCUA = """
[[devices]]
name = "mill"
driver = "opcua"
options = { endpoint = "opc.tcp://127.0.0.1:9", username = "floorhand", password_file = "password", \
points = [{ name = "state", node = "ns=2;s=State" }] }
"""
ROUTES = (
    "/v1/health", "/metrics", "/v1/devices", "/v1/equipment", "/v1/journal?limit=1000", "/v1/labels",
    "/v1/samples", "/v1/terminals/T1/view", "/openapi.json",
)  # fmt: skip


SECRETS = ("token", "password", "api-token")


def holding(folder: Path, secret: str) -> list[str]:
    """The files that have it, but for the secret itself."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in SECRETS]
    return [path.name for path in files if secret.encode() in path.read_bytes()]


async def test_a_secret_is_in_no_log_database_mirror_backup_or_answer() -> None:
    with short_folder() as folder:
        for name, secret in (("password", PASSWORD), ("api-token", API_TOKEN)):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(secret)
        port = free_port()
        more = OPCUA.replace("\\\n", "") + f'[api]\nport = {port}\ntoken_file = "api-token"\n'
        with plant_in(folder, more=more) as plant:
            async with AgentClient(f"http://127.0.0.1:{port}", folder / "api-token") as agent:
                await Person(agent, "T1").work_on()

                async def tried() -> bool:
                    devices = (await agent.health()).devices
                    return any(each.name == "mill" and each.state == "lost" for each in devices)

                await until(tried, "the device to be tried with its password")
                plant.erp.kill()  # what is said of a lost ERP, and of a wrong token, is said now
                await Person(agent, "T1").type("1")

                async def lost() -> bool:
                    return (await agent.health()).links[0].state == "down"

                await until(lost, "the ERP to be missed")
                answers = [ask(plant.agent.socket, "GET", route)[1] for route in ROUTES]
            backup = ["backup", str(folder / "b.db"), "--address", plant.agent.address]
            assert await asyncio.to_thread(main, backup) == 0
            os.kill(plant.agent.pid, signal.SIGABRT)  # a crash: what is written then is looked at too
            wait(lambda: not plant.agent.runs, "the end of the agent")
            for secret in (TOKEN, PASSWORD, API_TOKEN):
                assert [answer for answer in answers if secret.encode() in answer] == []
                assert holding(folder, secret) == []
            assert plant.agent.log


def test_a_secret_is_not_in_the_words_about_it() -> None:
    """A token that can not be one: the agent says why, and not what it is."""
    with short_folder() as folder:
        (folder / "token").touch(mode=0o600)
        (folder / "token").write_text("canary\u00e9token with a line\nand another")
        agent = AgentProcess(folder, site_text(erp="http://127.0.0.1:9"))
        agent.start()
        try:
            answer = ask(agent.socket, "GET", "/v1/health")[1]
        finally:
            agent.stop()
        assert b"canary" not in answer
        assert "canary" not in agent.log
