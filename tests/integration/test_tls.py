"""Redis behind TLS: its certificate is looked at, by every part of a worker and by beat."""

import asyncio
import re
import ssl
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import Any
from urllib.parse import quote

import pytest
import requests
from celery import Celery
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis import Redis
from redis.exceptions import NoPermissionError
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer

from tests.integration.deployment import FLOWER_LOGIN, Deployment, job, within
from tests.integration.processes import ROOT, Running, celery
from tests.support import free_port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that nobody else signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + secret)
    return file


class TlsFront(TCPServer):
    """Takes TLS connections and passes on what they say to the server's port."""

    def __init__(self, certificate: Path, target: int) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        super().__init__(ssl_options=context)
        self._target = target
        self._streams: list[IOStream] = []

    async def handle_stream(self, stream: IOStream, address: object) -> None:
        with suppress(StreamClosedError):
            far = await TCPClient().connect("127.0.0.1", self._target)
            self._streams += [stream, far]
            await asyncio.gather(_copy(stream, far), _copy(far, stream))

    def close(self) -> None:
        self.stop()
        for stream in self._streams:
            stream.close()


async def _copy(source: IOStream, target: IOStream) -> None:
    try:
        while True:
            await target.write(await source.read_bytes(65_536, partial=True))
    except StreamClosedError:
        target.close()


async def serve(front: TlsFront, port: int, listens: Event, ends: Event) -> None:
    front.listen(port, "127.0.0.1")
    listens.set()
    while not ends.is_set():
        await asyncio.sleep(0.05)
    front.close()


@pytest.fixture(scope="module")
def address(deployment: Deployment, certificate: Path) -> Iterator[str]:
    """The address of the deployment's server behind TLS."""
    front = TlsFront(certificate, int(deployment.redis_url.rpartition(":")[2].partition("/")[0]))
    port, listens, ends = free_port(), Event(), Event()
    thread = Thread(target=asyncio.run, args=(serve(front, port, listens, ends),), daemon=True)
    thread.start()
    assert listens.wait(5)
    yield f"rediss://127.0.0.1:{port}/0"
    ends.set()
    thread.join()


def test_a_worker_and_beat_work_behind_tls(deployment: Deployment, address: str, certificate: Path) -> None:
    url = f"{address}?ssl_ca_certs={certificate}"
    worker = deployment.start_worker(REDIS_URL=url)
    beat = deployment.start("beat", celery("beat", "--loglevel", "INFO"), REDIS_URL=url)
    beat.wait_for("Acquired lock")
    sent = job("portal", "tls")
    answer = deployment.client().send_task("invitations.send", args=[sent], queue="invitations").get(timeout=20)
    assert deployment.wait_for(answer["id"], "accepted").attempts == 0
    assert len(deployment.calls(sent)) == 1
    assert "insecure" not in worker.text
    assert (beat.stop(), worker.stop()) == (0, 0)


def test_a_certificate_that_nobody_vouches_for_is_not_believed(deployment: Deployment, address: str) -> None:
    worker = deployment.start("stranger", celery("worker"), REDIS_URL=address)
    worker.wait_for("Cannot connect to")
    deployment.redis.xadd("invitations:inbox", {"job": '{"account": "portal", "email": "jane@example.com"}'})
    sleep(1)
    assert " ready." not in worker.text
    assert deployment.redis.xlen("invitations:inbox") == 1


USER, PASSWORD = "ours", "p@ss/word:%#"


@pytest.fixture
def as_user(deployment: Deployment, address: str, certificate: Path) -> str:
    """The address for a user who may do what the README says, and nothing else."""
    [line] = re.findall("^ACL SETUSER .*$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    rules = line.split()[2:]
    client: Any = deployment.redis
    client.execute_command("ACL", "SETUSER", USER, *(rule.replace("PASSWORD", PASSWORD) for rule in rules[1:]))
    client.config_set("appendonly", "yes")
    client.acl_log_reset()
    login = f"{USER}:{quote(PASSWORD, safe='')}@"
    return f"{address.replace('//', '//' + login)}?ssl_ca_certs={certificate}"


def denied(deployment: Deployment) -> list[tuple[Any, Any]]:
    """What the user was not allowed: the reason (command, key or channel) and what it was."""
    return [(each["reason"], each["object"]) for each in deployment.redis.acl_log() if each["username"] == USER]


def command(deployment: Deployment, url: str, *arguments: str) -> Running:
    running = deployment.start(arguments[0], [sys.executable, "-m", "ops.cli", *arguments], REDIS_URL=url)
    assert running.end() in (0, 1), running.text
    return running


def test_a_user_who_may_do_what_the_readme_says_can_do_everything(deployment: Deployment, as_user: str) -> None:
    deployment.variables["RETRIEVE_SECONDS"] = "1"
    worker = deployment.start("worker", celery("worker", "--loglevel", "INFO"), REDIS_URL=as_user)
    second = deployment.start(
        "worker", celery("worker", "--loglevel", "INFO", "--hostname", "second@%h"), REDIS_URL=as_user
    )
    beat = deployment.start("beat", celery("beat"), REDIS_URL=as_user)
    port = free_port()
    login = f"--basic-auth={':'.join(FLOWER_LOGIN)}"
    flower = deployment.start("flower", celery("flower", f"--port={port}", login), REDIS_URL=as_user)
    for running in (worker, second):
        running.wait_for(" ready.")
    flower.wait_for("Visit me at")

    sent = job("shop_nl", "acl")
    checked = f"{as_user}&ssl_cert_reqs=required"
    client = Celery(broker=checked, backend=checked)
    answer = client.send_task("invitations.send", args=[sent], queue="invitations").get(timeout=20)
    deployment.wait_for(answer["id"], "sent", seconds=40)
    for arguments in (
        ("send", "--account", "portal", "--email", "jane@example.com"),
        ("list",),
        ("pause", "portal"),
        ("replay", answer["id"]),
        ("doctor",),
    ):
        assert "does not let" not in command(deployment, as_user, *arguments).text, arguments
    workers = f"http://127.0.0.1:{port}/api/workers?refresh=1"
    within(lambda: len(requests.get(workers, auth=FLOWER_LOGIN, timeout=20).json()) == 2, "Flower sees the workers")

    assert denied(deployment) == []
    assert [running.stop() for running in (flower, beat, second, worker)] == [0, 0, 0, 0]
    assert denied(deployment) == []


def test_that_user_may_do_nothing_else(deployment: Deployment, as_user: str) -> None:
    with Redis.from_url(as_user) as client:
        for forbidden in (("FLUSHALL",), ("CONFIG", "SET", "maxmemory", "1"), ("SET", "other", "1"), ("KEYS", "*")):
            with pytest.raises(NoPermissionError):
                client.execute_command(*forbidden)
