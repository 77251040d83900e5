"""What browsers are given beside the pages' words: packing, files kept for good, tags, policies, nothing as markup."""

import re

import pytest
from fastapi.testclient import TestClient

from neuromfa.app.pages.templating import assets_tag

PAGES = ["/", "/models/stdlib-14m?profile=exact", "/compare?models=stdlib-14m,org--alone"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_packed_tagged_and_strict(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "'unsafe" not in answer.headers["content-security-policy"]
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert not re.search(r"<script(?![^>]*(?: src=|application/json))|\son[a-z]+=|\sstyle=", answer.text)


def test_assets_are_kept_for_good_under_their_hash_only(client: TestClient) -> None:
    kept = client.get(f"/assets/{assets_tag()}/site.css")
    assert (kept.status_code, "immutable" in kept.headers["cache-control"]) == (200, True)
    assert client.get("/assets/0123456789ab/site.css").headers["cache-control"] == "no-cache"
    assert client.get(f"/assets/{assets_tag()}/vendor/vega.min.js").status_code == 200
    for path in ("templates/base.html", "../main.py", "nothing.js"):
        assert client.get(f"/assets/{assets_tag()}/{path}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/?q={}", "/compare?models={},b", "/models/{}", "/models/stdlib-14m?step={}"]
)
def test_words_of_an_address_are_never_markup(client: TestClient, path: str) -> None:
    text = client.get(path.format("%3Cimg src=x onerror=alert(1)%3E")).text
    assert "<img src=x" not in text
    assert "&lt;img" in text or "img src=x" not in text


def test_an_address_of_the_former_page_leads_on(client: TestClient) -> None:
    answer = client.get("/?model=org/alone&profile=exact&step=-", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (
        307,
        "./models/org--alone?profile=exact&step=-",
    )
