"""The provider's invite call, the same for all peers but those of asyncio: they differ in the job system alone."""

from requests import Session
from requests.adapters import HTTPAdapter

from ops.bench.peers.load import LOAD, Job

TIMEOUT_SECONDS = 30

# One for all threads: a greenlet of gevent ends with its task, and with it would end a connection of its own.
_session = Session()
_session.trust_env = False
_session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=LOAD.concurrency))


def invite(token: str, job: Job) -> int | None:
    """Seconds of Retry-After where the provider refuses (429). A customer that it knows already (422) is invited.

    Raises:
        requests.RequestException: any other answer, or none.
    """
    headers = {"Authorization": f"Bearer {token}"}
    response = _session.post(LOAD.url, json=job, headers=headers, timeout=TIMEOUT_SECONDS)
    if response.status_code == 429:
        return int(response.headers["Retry-After"])
    if response.status_code != 422:
        response.raise_for_status()
    return None
