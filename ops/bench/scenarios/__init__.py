"""What is measured: each scenario measures one subject, in one run, and yields its figures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ops.bench.figures import Figure
from ops.bench.peer import Peer
from ops.bench.place import Place
from ops.bench.scenarios import acceptance, isolation, limits, low_load, recovery, retrieval, throughput, waiting

Measure = Callable[[Place, Peer], Iterator[Figure]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`about`: what is measured, in a few words. `peers` and `bare`: whether peers and the bare loop are measured
    beside us. `again`: whether more than one run tells more. `rare`: only `--all` and its name run it."""

    name: str
    about: str
    measure: Measure
    peers: bool = False
    bare: bool = False
    again: bool = True
    rare: bool = False


SCENARIOS = (
    *(
        Scenario(
            f"limit-{kind}",
            f"limit used, 20 per 1 s, {kind} window",
            limits.limit_used(limits.PER_SECOND, kinds=[kind]),
            peers=kind == "fixed",
        )
        for kind in limits.KINDS
    ),
    Scenario("limit-6s", "limit used, 60 per 6 s", limits.limit_used(limits.PER_6_SECONDS), peers=True),
    Scenario("limit-minute", "limit used, 60 per minute", limits.limit_used(limits.PER_MINUTE), again=False),
    *(
        Scenario(
            f"limit-{kind}-{count}",
            f"limit used, 20 per 1 s, {kind} window, {count} worker process{'es' if count > 1 else ''}",
            limits.limit_used(limits.PER_SECOND, kinds=[kind], processes=count),
            rare=kind != "fixed",
        )
        for kind in limits.KINDS
        for count in (1, 8)
    ),
    *(
        Scenario(
            f"limit-6s-{count}",
            f"limit used, 60 per 6 s, {count} worker process{'es' if count > 1 else ''}",
            limits.limit_used(limits.PER_6_SECONDS, processes=count),
            rare=True,
        )
        for count in (1, 8)
    ),
    Scenario("isolation", "a free account beside 100,000 invitations", isolation.beside_a_backlog),
    Scenario("isolation-peers", "a free account beside 600 jobs", isolation.beside_a_limited_one, peers=True),
    Scenario("fairness", "200 busy accounts", isolation.fairness),
    Scenario("idle", "10,000 idle accounts", isolation.idle_accounts),
    Scenario("throughput-50", "throughput and CPU, answers after 50 ms", throughput.at_50_ms, peers=True, bare=True),
    Scenario("throughput-0", "throughput and CPU, answers at once", throughput.at_0_ms, peers=True, bare=True),
    Scenario("latency", "enqueue to provider at low load", low_load.low_load, peers=True),
    Scenario("enqueue", "enqueuing in bulk", acceptance.enqueuing, peers=True, bare=True),
    Scenario("send", "jobs of Celery clients accepted", acceptance.by_celery),
    Scenario("inbox", "jobs of the inbox accepted", acceptance.by_inbox),
    Scenario("waiting", "up to 1,000,000 invitations that wait", waiting.waiting, again=False),
    Scenario("accounts", "up to 1,000 accounts", waiting.accounts),
    Scenario("killed", "a worker killed", recovery.killed),
    Scenario("terminated", "a worker told to end", recovery.terminated),
    Scenario("retrieval", "pages read for what is due", retrieval.retrieval, again=False),
)
