"""A whole deployment on this machine: accounts, workers, beat and Flower over a real server and the simulator."""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

from celery import Celery
from redis import Redis

from config.accounts_file import load_accounts
from config.settings import load_settings
from ops.simulator import RunningSimulator, account_key, invitation_ref
from tasks.acceptance import Acceptance
from tests.integration.processes import Running, celery, environment
from tests.support import free_port, wait_until
from worker.connection import connect
from worker.entries import Receipt
from worker.ledger import Ledger
from worker.records import Record, Records
from worker.vault import Identity, Vault

Job = dict[str, Any]
FLOWER_LOGIN = ("reader", "flower-password")


@dataclass
class Deployment:
    """`variables` are the settings of every process that is started, without their prefix."""

    redis_url: str
    simulator: RunningSimulator
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.redis: Redis = connect(load_settings(redis_url=self.redis_url))
        self.records = Records(self.redis)
        self._started: list[Running] = []
        self._numbers = count(1)
        self.add_account("shop_nl", provider="webwinkelkeur", shop_id=1, code="code-of-shop-nl")
        self.add_account("portal", provider="wemasy", token="token-of-portal")
        self.add_account(
            "reviews", provider="feedbackcompany", client_id="client-of-reviews", client_secret="secret-of-reviews"
        )

    def add_account(self, name: str, **fields: Any) -> None:
        """Into the accounts file, its calls going to the simulator. Processes started later know it."""
        self.accounts[name] = {"base_url": self.simulator.url, **fields}
        tables = [
            f"[accounts.{account}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
            for account, values in self.accounts.items()
        ]
        self.accounts_file.write_text("\n".join(tables), "utf-8")

    @property
    def accounts_file(self) -> Path:
        return self.folder / "accounts.toml"

    def environment(self, **variables: str) -> dict[str, str]:
        """What a process of this deployment is started with; `variables` without their prefix."""
        settings = {
            "REDIS_URL": self.redis_url,
            "ACCOUNTS_FILE": str(self.accounts_file),
            "METRICS_PORT": "0",
            "LEASE_SECONDS": "31",
            **self.variables,
            **variables,
        }
        return environment(**{f"INVITATIONS_{name}": value for name, value in settings.items()})

    def start(self, name: str, command: list[str], **variables: str) -> Running:
        running = Running(f"{name}{next(self._numbers)}", command, self.environment(**variables), self.folder)
        self._started.append(running)
        return running

    def start_workers(self, number: int = 1, loglevel: str = "INFO", **variables: str) -> list[Running]:
        """So many workers, started together and ready; they do not spend a second on looking for others."""
        workers = [
            self.start(
                "worker",
                celery("worker", "--without-mingle", "--hostname", f"{name}@test", "--loglevel", loglevel),
                **variables,
            )
            for name in (f"w{next(self._numbers)}" for _ in range(number))
        ]
        for worker in workers:
            worker.wait_for(" ready.")
        return workers

    def start_worker(self, loglevel: str = "INFO", **variables: str) -> Running:
        return self.start_workers(1, loglevel, **variables)[0]

    def start_beat(self, loglevel: str = "INFO") -> Running:
        return self.start("beat", celery("beat", "--loglevel", loglevel))

    def start_flower(self, *options: str) -> tuple[Running, str]:
        """Flower behind a password, and its address."""
        port = free_port()
        login = "--basic-auth=" + ":".join(FLOWER_LOGIN)
        running = self.start("flower", celery("flower", f"--port={port}", login, *options))
        running.wait_for("Visit me at")
        return running, f"http://127.0.0.1:{port}"

    def run_python(self, *arguments: str) -> Running:
        """A Python process of this deployment that ends by itself."""
        return self.start("python", [sys.executable, *arguments])

    def stop_all(self) -> None:
        """Ends whatever still runs, at once."""
        while self._started:
            self._started.pop().kill()

    def close(self) -> None:
        self.stop_all()
        self.redis.close()

    def client(self) -> Celery:
        """A Celery client that knows nothing of this project."""
        return Celery(broker=self.redis_url, backend=self.redis_url)

    @contextmanager
    def capture_events(self) -> Iterator[list[dict[str, Any]]]:
        """All events that Celery sends meanwhile, those of tasks and of workers."""
        captured: list[dict[str, Any]] = []
        listens, ends = Event(), Event()
        thread = Thread(target=self._capture, args=(captured, listens, ends), daemon=True)
        thread.start()
        assert listens.wait(10)
        yield captured
        ends.set()
        thread.join()

    def _capture(self, captured: list[dict[str, Any]], listens: Event, ends: Event) -> None:
        client = self.client()
        with client.connection() as connection:
            receiver = client.events.Receiver(connection, handlers={"*": captured.append})
            with receiver.consumer_context(wakeup=False) as (own, _, _):
                while not ends.is_set():
                    with suppress(TimeoutError):
                        own.drain_events(timeout=0.2)
                    listens.set()

    def accept(self, *jobs: Job) -> list[Receipt]:
        """Enqueues within this process, as tasks.enqueue does."""
        settings = load_settings(redis_url=self.redis_url, accounts_file=self.accounts_file, lease_seconds=600)
        vault = Vault()
        acceptance = Acceptance(Ledger(self.redis), vault, Identity.of(self.redis, vault), load_accounts(settings))
        return [answer.receipt for answer in acceptance.accept(jobs)]

    def record(self, invitation: str) -> Record:
        record = self.records.get(invitation)
        assert record is not None, f"{invitation} is not in the ledger"
        return record

    def state(self, invitation: str) -> str:
        return str(self.redis.hget(f"invitations:record:{invitation}", "state"))

    def wait_for(self, invitation: str, *states: str, seconds: float = 20) -> Record:
        """The record, once the invitation is in one of `states`."""
        wait_until(lambda: self.state(invitation) in states, seconds=seconds, what=f"{invitation} in {states}")
        return self.record(invitation)

    def events(self, invitation: str) -> list[str]:
        """The states that the stream of events tells of one invitation, in order."""
        entries: Any = self.redis.xrange("invitations:events")
        return [fields["state"] for _, fields in entries if fields["id"] == invitation]

    def count(self, account: str, state: str) -> int:
        """How many invitations of an account are in a state."""
        keys = {"queued": "line", "delivering": "inflight"}
        kind = keys.get(state)
        key = f"invitations:{kind}:{account}" if kind else f"invitations:state:{account}:{state}"
        return int(self.redis.zcard(key))

    def key_at_provider(self, account: str) -> str:
        """The name under which the simulator counts an account."""
        fields = self.accounts[account]
        provider = fields["provider"]
        if "client_id" in fields:
            return account_key(provider, fields["client_id"], is_client_id=True)
        return account_key(provider, str(fields.get("shop_id") or fields.get("token") or fields["access_token"]))

    def stats(self, account: str) -> dict[str, int]:
        """What the simulator counted for an account."""
        return self.simulator.stats()["accounts"].get(self.key_at_provider(account), {})

    def calls(self, job: Job) -> list[dict[str, Any]]:
        """The calls that the simulator got about one job."""
        return self.calls_of([job])[0]

    def calls_of(self, jobs: Iterable[Job]) -> list[list[dict[str, Any]]]:
        """The calls that the simulator got about each job, from one look at it."""
        found = defaultdict[Any, list[dict[str, Any]]](list)
        for call in self.simulator.calls():
            found[call["account"], call["ref"]].append(call)
        return [found[self.key_at_provider(job["account"]), self._ref(job)] for job in jobs]

    def _ref(self, job: Job) -> str:
        orders = self.accounts[job["account"]]["provider"] != "wemasy"
        return invitation_ref(job["email"], job.get("order", "") if orders else "")


def job(account: str, number: int | str, **fields: Any) -> Job:
    """A job of its own for each number."""
    return {"account": account, "email": f"customer.{number}@example.com", "order": f"order-{number}", **fields}


def within(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    wait_until(condition, seconds=seconds, what=what)
