"""All checks in a row, the configuration first: without it there is nothing else to look at."""

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from config.errors import ConfigurationError
from config.settings import load_settings
from ops.doctor import encryption, gates, leftovers, server, work
from ops.doctor.configuration import accounts_of, check_variables, fault_of
from ops.doctor.findings import Check, Deployment, Finding
from ops.doctor.online import check_credentials
from worker.connection import connect

CHECKS: tuple[Check, ...] = (
    *server.CHECKS,
    encryption.check_encryption,
    *work.CHECKS,
    *gates.CHECKS,
    *leftovers.CHECKS,
)


def examine(*, online: bool = False) -> list[Finding]:
    """Everything that can be found now; `online` asks the providers too. What cannot be reached is a finding too;
    nothing is raised."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return [fault_of(fault) for fault in error.faults]
    accounts, findings = accounts_of(settings)
    findings += check_variables(settings)
    client = connect(settings)
    unreachable = _reach(client)
    if unreachable:
        return [*findings, unreachable]
    deployment = Deployment(client, settings, accounts)
    for check in (*CHECKS, check_credentials) if online else CHECKS:
        findings += _run(check, deployment)
    return findings


def _run(check: Check, deployment: Deployment) -> list[Finding]:
    name = check.__name__.removeprefix("check_")
    try:
        return list(check(deployment))
    except RedisError as error:
        advice = "let the user in INVITATIONS_REDIS_URL read it, or look at the server itself"
        return [Finding("warning", name, f"cannot be seen from here ({type(error).__name__})", advice)]


def _reach(client: Redis) -> Finding | None:
    try:
        client.ping()
    except AuthenticationError:
        return Finding("problem", "redis", "refuses the user or password", "correct INVITATIONS_REDIS_URL")
    except ResponseError as error:
        # Its words may repeat a command whole, with the password.
        if "DB index" in str(error):
            found = "answers, and has no database of the number in INVITATIONS_REDIS_URL"
            return Finding("problem", "redis", found, "correct the number; most servers have 0 to 15")
        found = f"answers, and refuses what it is asked ({type(error).__name__})"
        return Finding("problem", "redis", found, "check what INVITATIONS_REDIS_URL names, and what its user may do")
    except RedisError as error:
        advice = "check INVITATIONS_REDIS_URL and that the server runs; rediss:// is for one that speaks TLS"
        return Finding("problem", "redis", f"does not answer ({type(error).__name__})", advice)
    return None
