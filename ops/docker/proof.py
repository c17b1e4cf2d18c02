"""`make containers`: docker-compose.yml is built, started, hurt and stopped, and the counts are shown.

The images that it names are pulled unless they are there. Whatever comes, the project's containers and volumes are
removed at the end.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import which
from subprocess import CalledProcessError

from ops.docker.compose import Compose, code, run

SAMPLES = 300
ORDERS = 3000
ACCOUNTS = ("shop_nl", "portal", "reviews")
DELIVERED = ("accepted", "sent", "duplicate")
ROLES = ("worker", "beat")
LONG_SECONDS = 600
LOOK_SECONDS = 2.0


def main() -> int:
    """Exit code 0 where every invitation was delivered and every process ended as it should."""
    if which("docker") is None:
        print(
            "docker is not here: `make containers` needs it, and docker-compose or its plug-in compose", file=sys.stderr
        )
        return 1
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {text}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        compose = Compose(Path(folder))
        try:
            _start(compose, say)
            _hurt(compose, say)
            _take_redis_away(compose, say)
            _stop(compose, say)
        except (AssertionError, CalledProcessError) as error:
            say(f"FAILED: {error}")
            print(getattr(error, "stderr", ""), compose("logs", "--tail", "20"), sep="\n", file=sys.stderr)
            return 1
        finally:
            compose("down", "--volumes", "--timeout", "40")
    return 0


def _start(compose: Compose, say: Callable[[str], None]) -> None:
    """The image, and `up` with profile demo: the sample orders are delivered."""
    compose("build")
    compose("up", "--detach")
    worker = compose.ids("worker")[0]
    image = run("docker", "inspect", "--format", "{{.Config.Image}}", worker)
    size, base = (int(run("docker", "image", "inspect", "--format", "{{.Size}}", name)) for name in (image, _base()))
    say(f"built and started: {image}, {size / 1e6:.0f} MB, of which {base / 1e6:.0f} MB are {_base()}")
    say(f"worker: {run('docker', 'exec', worker, 'id', '-u')} is its user; {_cannot_write(worker)}")
    [imports] = compose.ids("import", "--all")
    ended = run("docker", "wait", imports)
    say(f"import of the sample orders ended with {ended}: {run('docker', 'logs', imports)}")
    assert ended == "0", "the sample orders were not imported"
    _until_delivered(compose, SAMPLES, say)


def _hurt(compose: Compose, say: Callable[[str], None]) -> None:
    """Three workers under load: one is killed, Redis is restarted, workers are added and taken away."""
    _scale(compose, 3)
    jobs = "\n".join(map(_job, range(ORDERS)))
    imports = ("docker", "exec", "--interactive", compose.ids("beat")[0], "invitations", "import", "-")
    say(f"import: {run(*imports, '--format', 'jsonl', text=jobs)}")
    deeds: tuple[tuple[str, Callable[[], object]], ...] = (
        ("docker kill of a worker", lambda: run("docker", "kill", compose.ids("worker")[0])),
        ("restart redis", lambda: compose("restart", "redis")),
        ("up --scale worker=5", lambda: _scale(compose, 5)),
        ("up --scale worker=2", lambda: _scale(compose, 2)),
    )
    for number, (words, deed) in enumerate(deeds, 1):
        _until_provider_has(compose, SAMPLES + ORDERS * number // (len(deeds) + 2))
        begun = time.monotonic()
        deed()
        took, workers = time.monotonic() - begun, len(compose.ids("worker"))
        say(f"{words}: done in {took:.0f} s; {workers} workers, {compose.simulated()['accepted']} delivered so far")
    _until_delivered(compose, SAMPLES + ORDERS, say)


def _scale(compose: Compose, number: int) -> None:
    compose("up", "--detach", "--no-recreate", "--scale", f"worker={number}", "worker")


def _take_redis_away(compose: Compose, say: Callable[[str], None]) -> None:
    """The health checks say so, and say too that all is well again."""
    [redis] = compose.ids("redis")
    for verb, status in (("pause", "unhealthy"), ("unpause", "healthy")):
        run("docker", verb, redis)
        begun = time.monotonic()
        _until(partial(_are, compose, status), f"worker and beat {status}")
        say(f"docker {verb} redis: worker and beat are {status} after {time.monotonic() - begun:.0f} s")
        for role in ROLES:
            say(f"  python -m worker.health {role} says: {_health(compose, role)[1]}")


def _stop(compose: Compose, say: Callable[[str], None]) -> None:
    """SIGTERM reaches every process, and each ends in order."""
    running = {service: compose.ids(service) for service in ("worker", "beat", "flower", "simulator")}
    begun = time.monotonic()
    compose("stop")
    codes = {
        service: [int(run("docker", "inspect", "--format", "{{.State.ExitCode}}", one)) for one in ids]
        for service, ids in running.items()
    }
    told = ", ".join(f"{service} {' '.join(map(str, ends))}" for service, ends in codes.items())
    say(f"stopped in {time.monotonic() - begun:.0f} s; exit codes: {told}")
    assert not any(end for ends in codes.values() for end in ends), "a process did not end in order"


def _job(number: int) -> str:
    account = ACCOUNTS[number % len(ACCOUNTS)]
    return json.dumps({"account": account, "email": f"load{number}@example.com", "order": f"load-{number}"})


def _until(condition: Callable[[], bool], what: str) -> None:
    """Returns when it holds. Raises AssertionError when that takes ten minutes."""
    deadline = time.monotonic() + LONG_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {LONG_SECONDS} s: {what}"
        time.sleep(LOOK_SECONDS)


def _until_provider_has(compose: Compose, count: int) -> None:
    _until(lambda: compose.simulated().get("accepted", 0) >= count, f"{count} at the providers")


def _until_delivered(compose: Compose, count: int, say: Callable[[str], None]) -> None:
    """Until so many stand as delivered in the ledger, and then what both sides counted."""
    _until_provider_has(compose, count)
    _until(lambda: sum(compose.states().get(state, 0) for state in DELIVERED) == count, f"{count} in the ledger")
    simulated = compose.simulated()
    say(f"ledger: {_in_words(compose.states())}")
    lost, repeated = count - simulated["accepted"], simulated.get("duplicates", 0)
    say(f"providers: {_in_words(simulated)}; lost: {lost}, repeated: {repeated}")
    assert simulated["accepted"] == count, "not each was accepted once by its provider"


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _are(compose: Compose, status: str) -> bool:
    return all(_health(compose, role)[0] == status for role in ROLES)


def _health(compose: Compose, role: str) -> tuple[str, str]:
    """What Docker says of a service, and what its last health check printed."""
    health = json.loads(run("docker", "inspect", "--format", "{{json .State.Health}}", compose.ids(role)[0]))
    return health["Status"], health["Log"][-1]["Output"].strip() if health["Log"] else ""


def _cannot_write(container: str) -> str:
    exit_code, _ = code("docker", "exec", "--user", "0", container, "python", "-c", "open('/x', 'w')")
    assert exit_code, "the root file system can be written"
    return "not even root can write its root file system"


def _base() -> str:
    """What the Dockerfile begins with."""
    return Path(__file__).with_name("Dockerfile").read_text("utf-8").partition("FROM ")[2].split()[0]


if __name__ == "__main__":
    sys.exit(main())
