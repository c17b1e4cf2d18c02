"""The simulator as a process: it says where it listens, ends on a signal, and says why it cannot start."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from ops.simulator import RunningSimulator, SimulatorOptions
from tests.contract.certificates import write_certificate

PROJECT = Path(__file__).parents[2]
PROGRAM = "from ops.simulator import SimulatorOptions, serve; serve(SimulatorOptions(port=0))"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_on_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        words, _, url = line.strip().rpartition(" ")
        try:
            answer = requests.get(f"{url}/_stats", timeout=5)
        finally:
            process.send_signal(number)
        rest, errors = process.communicate(timeout=10)

    assert words == "Provider simulator listens on"
    assert answer.json()["accounts"] == {}
    assert (process.returncode, rest, errors) == (0, "", "")


def test_it_ends_while_calls_hang_and_answers_stream() -> None:
    with RunningSimulator() as simulator:
        simulator.control(fault="hang", count=1)
        host, port = simulator.url.removeprefix("http://").split(":")
        request = b"GET /1.0/invitations.json?id=1&code=a HTTP/1.1\r\nHost: x\r\n\r\n"
        hanging = socket.create_connection((host, int(port)), timeout=5)
        hanging.sendall(request)
        for _ in range(100):
            if simulator.calls():
                break
            time.sleep(0.05)
        assert len(simulator.calls()) == 1
        simulator.control(fault="huge")
        streaming = socket.create_connection((host, int(port)), timeout=5)
        streaming.sendall(request)
        assert streaming.recv(12) == b"HTTP/1.1 200"

    assert hanging.recv(1) == b""
    hanging.close()
    streaming.close()


def test_a_port_in_use_is_named_with_advice() -> None:
    with RunningSimulator() as first:
        port = int(first.url.rpartition(":")[2])
        advice = f"cannot listen on 127.0.0.1:{port}: .*; choose another host or port, or stop what uses this one"
        with pytest.raises(OSError, match=advice), RunningSimulator(SimulatorOptions(port=port)):
            raise AssertionError("two simulators on one port")


def test_with_a_certificate_it_speaks_https(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path)
    with RunningSimulator(SimulatorOptions(port=0, certificate=str(certificate))) as simulator:
        answer = requests.get(f"{simulator.url}/_stats", verify=str(certificate), timeout=5)

    assert simulator.url.startswith("https://")
    assert answer.json()["accounts"] == {}


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "none.pem"
    file.write_text("no certificate")
    options = SimulatorOptions(port=0, certificate=str(file))

    with pytest.raises(OSError, match=r"cannot use .*none\.pem: expected a PEM file"), RunningSimulator(options):
        raise AssertionError("https without a certificate")


def test_two_simulators_know_nothing_of_each_other() -> None:
    with RunningSimulator() as first, RunningSimulator() as second:
        requests.get(f"{first.url}/1.0/invitations.json?id=1&code=a", timeout=5)

        assert first.stats()["total"]["calls"] == 1
        assert second.stats()["total"]["calls"] == 0
