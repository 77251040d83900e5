"""A real HTTP server on loopback that serves files by range, speaks the hub's refs, model and resolve requests, and
fails on demand: each failure mode is provoked by its name.
"""

import json
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

RANGE = re.compile(r"bytes=(\d+)-(\d+)")
REFS = re.compile(r"/api/models/(.+)/refs")
MODEL = re.compile(r"/api/models/(.+)/revision/([^/]+)")
RESOLVE = re.compile(r"/(.+)/resolve/([^/]+)/(.+)")


@dataclass
class Repository:
    """A repository of the hub: commits by branch, files by commit."""

    branches: dict[str, str]
    files: dict[str, dict[str, bytes]]
    tags: dict[str, str] = field(default_factory=dict)
    gated: bool = False


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    range: str | None
    authorization: str | None


class Loopback(ThreadingHTTPServer):
    """The server; `faults` are taken one by one by requests for file contents, `lies` hold for all.

    Faults: drop (half the body, then the connection breaks), refuse (503), limit (429), hang (no answer),
    dribble (slow but whole), deny (403), short (a whole answer that is too short), long, elsewhere (another range),
    changed (another ETag).
    Lies: no_ranges, size (bytes claimed), status, linked_size, commit, list_size.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.pages = {}
        self.repositories = {}
        self.faults = deque()
        self.lies = {}
        self.log = []
        self.signature = 0
        self.released = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def store_url(self):
        """The same server under another name, as the hub's file store is."""
        return f"http://localhost:{self.server_port}"

    def asked(self, part):
        return [each for each in self.log if part in each.path]

    def handle_error(self, request, client_address):
        """Say nothing: clients hang up on purpose here."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: Loopback

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        headers = self.headers
        path = unquote(urlsplit(self.path).path)
        asked = Asked(self.command, self.path, headers.get("Range"), headers.get("Authorization"))
        self.server.log.append(asked)
        for pattern, reply in ((REFS, self.refs), (MODEL, self.model), (RESOLVE, self.resolve)):
            if found := pattern.fullmatch(path):
                return reply(*found.groups())
        if path.startswith("/store/"):
            return self.stored(path)
        if path in self.server.pages:
            return self.send(200, self.server.pages[path].encode(), {"Content-Type": "text/html"})
        if path in self.server.files:
            return self.content(self.server.files[path])
        return self.send(404, b"")

    def refs(self, repo):
        repository = self.server.repositories.get(repo)
        if repository is None:
            return self.send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if self.fault("refs"):
            return None
        named = {
            kind: [
                {"name": name, "ref": f"refs/{name}", "targetCommit": commit} for name, commit in refs.items()
            ]
            for kind, refs in (("branches", repository.branches), ("tags", repository.tags), ("converts", {}))
        }
        return self.send(200, json.dumps(named).encode(), {"Content-Type": "application/json"})

    def model(self, repo, revision):
        repository = self.server.repositories.get(repo)
        if repository is None:
            return self.send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        commit = repository.branches.get(revision, revision)
        if commit not in repository.files:
            return self.send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        siblings = [
            {"rfilename": name, "size": self.server.lies.get("list_size", len(content)), "blobId": "0" * 40}
            for name, content in repository.files[commit].items()
        ]
        info = {
            "id": repo,
            "modelId": repo,
            "sha": commit,
            "siblings": siblings,
            "tags": [],
            "private": False,
        }
        return self.send(200, json.dumps(info).encode(), {"Content-Type": "application/json"})

    def resolve(self, repo, revision, filename):
        repository = self.server.repositories[repo]
        commit = repository.branches.get(revision, revision)
        if repository.gated:
            return self.send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        content = repository.files[commit].get(filename)
        if content is None:
            return self.send(404, b"", {"X-Error-Code": "EntryNotFound"})
        pinned = {"X-Repo-Commit": self.server.lies.get("commit", commit), "ETag": '"small"'}
        if filename.endswith(".json"):
            return self.content(content, pinned)
        linked = {
            **pinned,
            "X-Linked-Size": str(self.server.lies.get("linked_size", len(content))),
            "X-Linked-Etag": f'"{commit}-{filename}"',
            "Location": f"{self.server.store_url}/store/{self.server.signature}/{repo}/{commit}/{filename}",
        }
        return self.send(302, b"", linked)

    def stored(self, path):
        _, _, signature, owner, name, commit, filename = path.split("/")
        if signature != str(self.server.signature):
            return self.send(403, b"expired")
        return self.content(self.server.repositories[f"{owner}/{name}"].files[commit][filename])

    def content(self, content, headers=None):
        """Send a file, or the range of it that was asked for."""
        found = None if self.server.lies.get("no_ranges") else RANGE.fullmatch(self.headers.get("Range", ""))
        if "status" in self.server.lies:
            return self.send(self.server.lies["status"], b"")
        extra = {"ETag": '"one"', **(headers or {})}
        if self.command == "HEAD" or not found:
            return self.send(200, content, extra)
        first, last = map(int, found.groups())
        total = self.server.lies.get("size", len(content))
        if first >= len(content):
            return self.send(416, b"", {"Content-Range": f"bytes */{total}"})
        body = content[first : last + 1]
        extra["Content-Range"] = f"bytes {first}-{first + len(body) - 1}/{total}"
        if self.fault("content", body, extra):
            return None
        return self.send(206, body, extra)

    def fault(self, place, body=b"", headers=None):
        """Carry out the next fault that is meant for this place; return whether the request is done with."""
        faults = self.server.faults
        if not faults or (place == "refs") != faults[0].startswith("refs "):
            return False
        name = faults.popleft().removeprefix("refs ")
        headers = dict(headers or {})
        if name in ("refuse", "limit", "deny"):
            self.send({"refuse": 503, "limit": 429, "deny": 403}[name], b"", {"Retry-After": "0"})
        elif name == "hang":
            self.server.released.wait(20)
            self.close_connection = True
        elif name == "drop":
            self.start(206, {**headers, "Content-Length": str(len(body))})
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.close_connection = True
        elif name == "dribble":
            self.start(206, {**headers, "Content-Length": str(len(body))})
            for place in range(0, len(body), 1 + len(body) // 8):
                self.wfile.write(body[place : place + 1 + len(body) // 8])
                self.wfile.flush()
                time.sleep(0.05)
        elif name in ("short", "long"):
            self.send(206, body[:-3] if name == "short" else body + b"!!", headers)
        elif name == "elsewhere":
            self.send(206, body, {**headers, "Content-Range": headers["Content-Range"].replace(" ", " 1", 1)})
        elif name == "changed":
            self.send(206, body, {**headers, "ETag": '"two"'})
        else:
            raise AssertionError(name)
        return True

    def send(self, status, body, headers=None):
        self.start(status, {"Content-Length": str(len(body)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def start(self, status, headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
