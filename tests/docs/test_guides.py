"""Every snippet of the guides, in the order of its page, against one deployment with a worker."""

import pytest

from tests.docs.book import PAGES, blocks
from tests.docs.reader import Reader
from tests.integration.conftest import deployment, simulator_options
from tests.integration.deployment import Deployment
from tests.support import free_port

__all__ = ["deployment", "simulator_options"]

TUTORIAL = "tutorial.md"
WITH_SNIPPETS = [name for name, page in PAGES.items() if name != TUTORIAL and blocks(page)]


@pytest.fixture(scope="module", autouse=True)
def _worker(deployment: Deployment) -> None:
    deployment.start_worker()


@pytest.fixture
def ports(deployment: Deployment) -> dict[str, int]:
    """A page that simulates providers has its own; those of the deployment stay as they are."""
    return {"6379": int(deployment.redis_url.rpartition(":")[2].partition("/")[0]), "8900": free_port()}


@pytest.fixture
def surroundings(deployment: Deployment) -> dict[str, str]:
    return {**deployment.environment(), "COLUMNS": "200"}


@pytest.mark.parametrize("name", WITH_SNIPPETS)
def test_the_snippets_of_a_page_do_what_it_says(reader: Reader, name: str) -> None:
    reader.follow(PAGES[name])
