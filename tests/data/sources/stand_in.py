"""A server in the place of the Hugging Face hub, and a process that asks it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class StandIn(BaseHTTPRequestHandler):
    """What the hub answers to its client: about a repository, about its files, and the files."""

    repositories: Mapping[str, Path]
    broken = ""
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if match := re.match(r"/api/datasets/([^/]+/[^/]+)(/revision/(.+)|/tree/.+)?$", path):
            self._about(*match.groups())
        elif match := re.match(rf"/datasets/([^/]+/[^/]+)/resolve/{COMMIT}/(.+)", path):
            file = self.repositories[match[1]] / match[2]
            if self.broken and self.broken in match[2]:
                self._send(b"", 500)
            elif file.is_file():
                self._send(file.read_bytes())
            else:
                self._send(b"", 404, {"X-Error-Code": "EntryNotFound"})
        else:
            self._send(b"", 500)

    def _about(self, name, rest, revision):
        if name == "broken/down":
            self._send(b"", 500)
            return
        folder = self.repositories.get(name)
        if folder is None:
            code = {"private/gated": "GatedRepo"}.get(name, "RepoNotFound")
            self._send(b"", 403 if code == "GatedRepo" else 401, {"X-Error-Code": code})
            return
        if revision not in {None, "main", "v1", COMMIT}:
            self._send(b"", 404, {"X-Error-Code": "RevisionNotFound"})
            return
        files = [file for file in folder.rglob("*") if file.is_file()]
        names = [file.relative_to(folder).as_posix() for file in files]
        if rest and rest.startswith("/tree"):
            answer = [
                {
                    "type": "file",
                    "path": name,
                    "size": file.stat().st_size,
                    "oid": f"{hash(name):x}",
                }
                for name, file in zip(names, files, strict=True)
            ]
        else:
            siblings = [{"rfilename": name} for name in names]
            answer = {"id": name, "sha": COMMIT, "siblings": siblings}
        self._send(json.dumps(answer).encode(), kind="application/json")

    def _send(self, content, status=200, headers=None, kind="application/octet-stream"):
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{abs(hash(self.path)):x}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@contextmanager
def stand_in(repositories, broken=""):
    members = {"repositories": repositories, "broken": broken}
    handler = type("Handler", (StandIn,), members)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


ASK = """
import json, sys, tempfile, time, logging
from pathlib import Path
from sentiment_pl.data.sources import Hub, Imdb
from sentiment_pl.errors import UserError

class Heard(logging.Handler):
    def emit(self, record):
        logged.append(record.getMessage())

logging.getLogger("sentiment_pl").addHandler(Heard())
for name, arguments in json.load(sys.stdin):
    logged, start = [], time.monotonic()
    answer = {"logged": logged}
    try:
        source = {"Hub": Hub, "Imdb": Imdb}[name](**arguments)
        answer["fingerprint"] = source.fingerprint()
        splits = source.load(Path(tempfile.mkdtemp()))
        answer["rows"] = {split: rows[:] for split, rows in splits.items()}
    except UserError as error:
        answer["error"] = str(error)
    answer["seconds"] = time.monotonic() - start
    print(json.dumps(answer))
"""


def ask(endpoint, home, *questions, **environment):
    """Ask sources in a process of their own: the hub's client reads its settings on import."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps(questions),
        env=os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # neither stack traces nor progress bars
    return [json.loads(line) for line in done.stdout.splitlines()]
