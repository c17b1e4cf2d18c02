"""Whether each provider takes its account's credentials, asked by a call that invites nobody.

WebwinkelKeur and TrustProfile list their invitations, The Feedback Company hands out access tokens (a kept one is not
replaced: a new one would make it invalid for everybody). Wemasy, and a fixed access token, have no such call: what
their pages document invites, so there only deliveries tell.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from random import random
from typing import cast

from config.accounts import Account
from config.settings import Settings
from ops.doctor.credentials import places
from ops.doctor.findings import Deployment, Finding
from tasks.decision import gate_lesson
from tasks.outcome import CredentialsRefused, Throttled
from tasks.providers.pipeline import Pipeline
from worker.ledger import Ledger
from worker.tokens import SharedTokens

AT_ONCE = 8
PAUSED = -1
CHECK = "credentials"


def check_credentials(deployment: Deployment) -> Iterator[Finding]:
    """Every account's, each by its name."""
    for name, finding in zip(deployment.accounts, ask_all(deployment), strict=True):
        yield replace(finding, found=f"{name}: {finding.found}")


def ask_all(deployment: Deployment) -> Iterator[Finding]:
    """Every account's in their order, a few at the same time. Takes a place in the account's gate, as any call does.
    Raises redis.RedisError where Redis is away."""
    pipeline, ledger = Pipeline(SharedTokens(deployment.redis)), Ledger(deployment.redis)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(partial(_ask, pipeline, ledger, deployment.settings), deployment.accounts.values())


def _ask(pipeline: Pipeline, ledger: Ledger, settings: Settings, account: Account) -> Finding:
    if not pipeline.can_check(account):
        return _untold(ledger, settings, account)
    wait_ms = ledger.spend(account.gate, account.name, 0)
    # What is paused may be asked: nothing else of it passes, and whoever mended it wants to know.
    if wait_ms not in (0, PAUSED):
        found = f"not asked, as its gate is shut for {wait_ms / 1000:.0f} s"
        return Finding("warning", CHECK, found, "ask again then")
    failure = pipeline.check(account, timeout=account.timeout)
    if failure is None:
        return _taken(account, is_paused=wait_ms == PAUSED)
    if isinstance(failure, Throttled):
        ledger.tell(account.gate, account.name, gate_lesson(failure, random()), announced=False)
        return Finding("warning", CHECK, f"not told, {failure.reason}", "ask again in a minute")
    found = getattr(failure, "reason", type(failure).__name__)
    if isinstance(failure, CredentialsRefused):
        return _refused(account, settings, found)
    return Finding("problem", CHECK, found, "see whether the provider is up, and base_url is right; then ask again")


def _taken(account: Account, *, is_paused: bool) -> Finding:
    if not is_paused:
        return Finding("ok", CHECK, "the provider takes them")
    advice = f"where they were mended, restart the workers, then: invitations resume {account.name}"
    return Finding("warning", CHECK, "the provider takes them, but the account is paused", advice)


def _untold(ledger: Ledger, settings: Settings, account: Account) -> Finding:
    """No call of this provider tells without inviting somebody: what came of deliveries, with the credentials that the
    workers had then."""
    by, reason = cast(list[str | None], ledger.redis.hmget(f"invitations:pause:{account.name}", "by", "reason"))
    if by == "provider":
        return _refused(account, settings, f"refused to the workers: {reason}")
    at = ledger.redis.hget(f"invitations:gate:{account.gate}", f"passed:{account.name}")
    told = "no delivery passed yet"
    if at:
        told = f"a delivery of the workers passed {(ledger.now() - int(at)) // 1000} s ago"
    found = f"{account.provider} has no call that tells and invites nobody; {told}"
    return Finding("unknown", CHECK, found)


def _refused(account: Account, settings: Settings, found: str) -> Finding:
    advice = f"correct them ({places(account, settings)}), restart the workers, then: invitations resume {account.name}"
    return Finding("problem", CHECK, found, advice)
