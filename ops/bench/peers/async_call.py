"""The provider's invite call, the same for all peers of asyncio."""

from functools import cache

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from ops.bench.peers.load import LOAD, Job

TIMEOUT_SECONDS = 30


async def invite(token: str, job: Job) -> int | None:
    """Seconds of Retry-After where the provider refuses (429). A customer that it knows already (422) is invited.

    Raises:
        aiohttp.ClientError: any other answer, or none.
    """
    headers = {"Authorization": f"Bearer {token}"}
    async with _session().post(LOAD.url, json=job, headers=headers) as response:
        await response.read()
        if response.status == 429:
            return int(response.headers["Retry-After"])
        if response.status != 422:
            response.raise_for_status()
    return None


@cache
def _session() -> ClientSession:
    """Of the process; it belongs to the loop that first asks for it."""
    return ClientSession(connector=TCPConnector(limit=LOAD.concurrency), timeout=ClientTimeout(TIMEOUT_SECONDS))
