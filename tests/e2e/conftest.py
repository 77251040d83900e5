"""A real browser before a real server process on a real store; what it says and asks for is kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from neuromfa.app.settings import is_loopback
from tests.requirements import chromium
from tests.serving import served

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Visit:
    """One page in the browser, with everything it said and asked for."""

    page: Page
    address: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def listen(self) -> "Visit":
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("response", self._keep_failure)
        return self

    def _keep_failure(self, response: Response) -> None:
        """Keep the words of an answer that no person should get."""
        if response.status == 500:
            self.said.append(f"{response.url}: {response.text()}")

    def open(self, path: str, *, wait_for: str = "body[data-state=fresh]") -> "Visit":
        self.page.goto(self.address + path)
        self.page.wait_for_selector(wait_for)
        return self

    def outside(self) -> list[str]:
        web = [url for url in self.asked if urlsplit(url).scheme in ("http", "https", "ws", "wss")]
        return [url for url in web if not is_loopback(urlsplit(url).hostname or "")]


@pytest.fixture(scope="session")
def address(filled_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    chromium()
    with served(filled_dir, tmp_path_factory.mktemp("serving")) as (_, found):
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()  # before playwright, whose own process wants system libraries
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Visit]]:
    """Open a page in a fresh profile; at the end nothing may have been said or asked of the outside."""
    visits: list[Visit] = []

    def begin(*, width: int = 1280, scheme: str = "light", at: str = address) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE_MS)
        visits.append(Visit(context.new_page(), at).listen())
        return visits[-1]

    yield begin
    for one in visits:
        one.page.context.close()
        assert one.outside() == []
        assert one.said == []
