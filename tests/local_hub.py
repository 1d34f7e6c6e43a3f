"""A small server that speaks as much of the Hub's protocol as a push and a load need.

It keeps git's idea of a commit: a whole tree under a new name, and main pointing at one. Faults
named in `faults` are played at the next commits, one each:
`lost_reply` makes the commit and drops the connection, `unavailable` answers 503 and makes none,
`refused` answers 403, `overtaken` lets someone else commit first.
"""

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

LFS_SUFFIXES = (".parquet", ".png", ".safetensors")
Tree = dict[str, bytes]


@dataclass
class Repository:
    """One repository: its commits in order, what main and the tags point to."""

    private: bool
    gated: bool = False
    commits: dict[str, Tree] = field(default_factory=dict)
    main: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, tree: Tree) -> str:
        oid = hashlib.sha1(f"{len(self.commits)}{sorted(tree)}".encode()).hexdigest()
        self.commits[oid] = tree
        self.main = oid
        return oid

    def resolve(self, revision: str) -> str:
        return {"main": self.main, **self.tags}.get(revision, revision)

    @property
    def tree(self) -> Tree:
        return self.commits[self.main]


class LocalHub:
    """The server as a context manager: `with LocalHub(token) as hub: hub.url`."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.repositories: dict[str, Repository] = {}
        self.stored: dict[str, bytes] = {}
        self.faults: list[str] = []
        self.log: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "LocalHub":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def create(self, repo_id: str, private: bool = True) -> Repository:
        repository = Repository(private)
        repository.commit({".gitattributes": b"*.parquet filter=lfs\n"})
        self.repositories[repo_id] = repository
        return repository

    def answer(self, method: str, path: str, body: bytes) -> "Answer":
        for verb, pattern, act in _ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                parts = {k: unquote(v) for k, v in found.groupdict().items() if v}
                reply: Answer = act(self, body, **parts)
                return reply
        return Answer(404, {"error": f"no route {method} {path}"})


@dataclass
class Answer:
    """A reply: JSON or bytes; `drop` closes the connection instead of sending it."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


def _handler(hub: LocalHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            hub.log.append(f"{self.command} {path}")
            open_to_all = path.startswith("/lfs/") or path == "/api/validate-yaml"
            if not open_to_all and self.headers.get("Authorization") != f"Bearer {hub.token}":
                answer = Answer(401, {"error": f"bad token {self.headers.get('Authorization')}"})
            else:
                deep = "?recursive" if "recursive=true" in query.lower() else ""
                method = "GET" if self.command == "HEAD" else self.command
                answer = hub.answer(method, path + deep, body)
            if answer.drop:
                self.close_connection = True
                self.connection.close()
                return
            self._reply(answer)

        def _reply(self, answer: Answer) -> None:
            raw = isinstance(answer.body, bytes)
            data = answer.body if raw else json.dumps(answer.body).encode()
            status = answer.status
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            if raw and wanted:
                first, last = int(wanted[1]), int(wanted[2] or len(data) - 1)
                answer.headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
                data, status = data[first : last + 1], 206
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Type", "application/octet-stream" if raw else "text/json")
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815 (the names http.server calls)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _create(hub: LocalHub, body: bytes) -> Answer:
    wanted = json.loads(body)
    repo_id = f"{wanted['organization']}/{wanted['name']}"
    page = "datasets/" if wanted.get("type") == "dataset" else ""
    url = f"{hub.url}/{page}{repo_id}"
    if repo_id in hub.repositories:
        return Answer(409, {"error": "exists", "url": url})
    private = wanted.get("visibility") == "private" or wanted.get("private") is True
    hub.create(repo_id, private)
    return Answer(200, {"url": url, "name": repo_id})


def _info(hub: LocalHub, body: bytes, repo: str, revision: str = "main") -> Answer:
    if repo not in hub.repositories:
        return Answer(404, {"error": "no such repository"}, {"X-Error-Code": "RepoNotFound"})
    repository = hub.repositories[repo]
    sha = repository.resolve(revision)
    siblings = [{"rfilename": name} for name in repository.commits[sha]]
    facts = {"id": repo, "sha": sha, "private": repository.private, "siblings": siblings}
    return Answer(200, {**facts, "tags": []})


def _refs(hub: LocalHub, body: bytes, repo: str) -> Answer:
    repository = hub.repositories[repo]
    tags = [_ref("tags", name, commit) for name, commit in repository.tags.items()]
    branches = [_ref("heads", "main", repository.main)]
    return Answer(200, {"branches": branches, "tags": tags, "converts": []})


def _ref(kind: str, name: str, commit: str) -> dict[str, str]:
    return {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": commit}


def _entry(path: str, data: bytes) -> dict[str, Any]:
    blob = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": blob}
    if path.endswith(LFS_SUFFIXES):
        sha256 = hashlib.sha256(data).hexdigest()
        pointer = hashlib.sha1(sha256.encode()).hexdigest()
        entry |= {"oid": pointer, "lfs": {"oid": sha256, "size": len(data), "pointerSize": 130}}
    return entry


def _tree(
    hub: LocalHub, body: bytes, repo: str, revision: str, under: str = "", deep: str = ""
) -> Answer:
    """What a folder holds, or all below it: files and folders."""
    repository = hub.repositories[repo]
    tree = repository.commits[repository.resolve(revision)]
    found = {name: _entry(name, data) for name, data in tree.items()}
    for name in tree:
        for folder in map(str, PurePosixPath(name).parents[:-1]):
            found[folder] = {"type": "directory", "path": folder, "size": 0, "oid": "0"}
    top = PurePosixPath(under)
    inside = [n for n in found if top in PurePosixPath(n).parents]
    return Answer(200, [found[n] for n in inside if deep or PurePosixPath(n).parent == top])


def _paths_info(hub: LocalHub, body: bytes, repo: str, revision: str) -> Answer:
    repository = hub.repositories[repo]
    tree = repository.commits[repository.resolve(revision)]
    entries = []
    for path in json.loads(body)["paths"]:
        if path in tree:
            entries.append(_entry(path, tree[path]))
        elif any(name.startswith(f"{path}/") for name in tree):
            entries.append({"type": "directory", "path": path, "size": 0, "oid": "0"})
    return Answer(200, entries)


def _preupload(hub: LocalHub, body: bytes, repo: str, revision: str) -> Answer:
    tree = hub.repositories[repo].tree
    files = []
    for file in json.loads(body)["files"]:
        path = file["path"]
        mode = "lfs" if path.endswith(LFS_SUFFIXES) else "regular"
        entry = _entry(path, tree[path]) if path in tree else {}
        oid = entry.get("lfs", {}).get("oid") or entry.get("oid")
        files.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return Answer(200, {"files": files})


def _lfs_batch(hub: LocalHub, body: bytes, repo: str) -> Answer:
    objects = []
    for wanted in json.loads(body)["objects"]:
        if wanted["oid"] not in hub.stored:
            wanted["actions"] = {
                "upload": {"href": f"{hub.url}/lfs/{wanted['oid']}"},
                "verify": {"href": f"{hub.url}/lfs/verify"},
            }
        objects.append(wanted)
    return Answer(200, {"objects": objects, "transfer": "basic"})


def _lfs_put(hub: LocalHub, body: bytes, oid: str) -> Answer:
    if hashlib.sha256(body).hexdigest() != oid:
        return Answer(400, {"error": "content does not match its oid"})
    hub.stored[oid] = body
    return Answer(200, {})


def _lfs_verify(hub: LocalHub, body: bytes) -> Answer:
    return Answer(200 if json.loads(body)["oid"] in hub.stored else 404, {})


def _commit(hub: LocalHub, body: bytes, repo: str, revision: str) -> Answer:
    repository = hub.repositories[repo]
    lines = [json.loads(line) for line in body.splitlines()]
    fault = hub.faults.pop(0) if hub.faults else ""
    if fault == "unavailable":
        return Answer(503, {"error": "try later"})
    if fault == "refused":
        return Answer(403, {"error": f"no right to write with {hub.token}"})
    if fault == "overtaken":
        repository.commit({**repository.tree, "notes.md": b"by someone else"})
    if lines[0]["value"].get("parentCommit", repository.main) != repository.main:
        return Answer(412, {"error": "main has moved"})
    oid = repository.commit(_applied(hub, repository.tree, lines[1:]))
    url = f"{hub.url}/datasets/{repo}/commit/{oid}"
    return Answer(200, {"commitUrl": url, "commitOid": oid}, drop=fault == "lost_reply")


def _applied(hub: LocalHub, tree: Tree, lines: list[dict[str, Any]]) -> Tree:
    changed = dict(tree)
    for line in lines:
        value = line["value"]
        if line["key"] == "file":
            changed[value["path"]] = base64.b64decode(value["content"])
        elif line["key"] == "lfsFile":
            changed[value["path"]] = hub.stored[value["oid"]]
        elif line["key"] == "deletedFile":
            del changed[value["path"]]
        else:
            raise ValueError(f"unknown line {line['key']}")
    return changed


def _tag(hub: LocalHub, body: bytes, repo: str, revision: str) -> Answer:
    repository, name = hub.repositories[repo], json.loads(body)["tag"]
    if name in repository.tags:
        return Answer(409, {"error": "tag exists"})
    repository.tags[name] = repository.resolve(revision)
    return Answer(200, {})


def _settings(hub: LocalHub, body: bytes, repo: str) -> Answer:
    wanted = json.loads(body)
    private = wanted.get("private", wanted.get("visibility") == "private")
    hub.repositories[repo].private = bool(private)
    return Answer(200, {"private": bool(private)})


def _resolve(hub: LocalHub, body: bytes, repo: str, revision: str, path: str) -> Answer:
    if repo not in hub.repositories:
        return Answer(404, {"error": "no such repository"}, {"X-Error-Code": "RepoNotFound"})
    repository = hub.repositories[repo]
    commit = repository.resolve(revision)
    if repository.gated:
        return Answer(403, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
    if commit not in repository.commits:
        return Answer(404, {"error": "no such revision"}, {"X-Error-Code": "RevisionNotFound"})
    data = repository.commits[commit].get(path)
    if data is None:
        return Answer(404, {"error": "no such file"}, {"X-Error-Code": "EntryNotFound"})
    etag = hashlib.sha256(data).hexdigest()
    return Answer(200, data, {"ETag": f'"{etag}"', "X-Repo-Commit": commit})


def _validate(hub: LocalHub, body: bytes) -> Answer:
    return Answer(200, {"errors": [], "warnings": []})


_REPO = r"(?P<repo>[^/]+/[^/]+)"
_REV = r"(?P<revision>[^/?]+)"
_API = f"/api/(?:datasets|models)/{_REPO}"
_ROUTES: list[tuple[str, str, Any]] = [
    ("POST", "/api/repos/create", _create),
    ("POST", "/api/validate-yaml", _validate),
    ("GET", _API, _info),
    ("GET", f"{_API}/revision/{_REV}", _info),
    ("GET", f"{_API}/refs", _refs),
    ("GET", rf"{_API}/tree/{_REV}(?:/(?P<under>[^?]*))?(?P<deep>\?recursive)?", _tree),
    ("POST", f"{_API}/paths-info/{_REV}", _paths_info),
    ("POST", f"{_API}/preupload/{_REV}", _preupload),
    ("POST", f"{_API}/commit/{_REV}", _commit),
    ("POST", f"{_API}/tag/{_REV}", _tag),
    ("PUT", f"{_API}/settings", _settings),
    ("POST", f"(?:/datasets)?/{_REPO}.git/info/lfs/objects/batch", _lfs_batch),
    ("PUT", "/lfs/(?P<oid>[0-9a-f]{64})", _lfs_put),
    ("POST", "/lfs/verify", _lfs_verify),
    ("GET", f"(?:/datasets)?/{_REPO}/resolve/{_REV}/(?P<path>.+)", _resolve),
]
