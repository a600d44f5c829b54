"""GloVe from a hub, from its cache, and without either."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

from sentiment_pl.embeddings.glove import GloveEmbedding
from sentiment_pl.errors import ConfigError


def test_glove_comes_in_four_widths():
    with pytest.raises(ConfigError, match=r"must be 50, 100, 200 or 300 .* got 64"):
        GloveEmbedding(dim=64)


HUB = """
    import hashlib, http.server, io, logging, os, socket, sys, threading, time, zipfile
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{port}"
    from pathlib import Path
    from sentiment_pl.embeddings.glove import GloveEmbedding
    from sentiment_pl.embeddings.recipes import Corpus
    from sentiment_pl.errors import DataError

    logging.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")
    logging.getLogger("httpx").setLevel("WARNING")
    corpus = Corpus(["[PAD]", "[UNK]", "good", "bad"], list, "", Path("none"))
    recipe = GloveEmbedding(dim=50)

    start = time.monotonic()
    try:
        recipe.matrix(corpus)
    except DataError as error:
        print("REFUSED", error)
    print("SECONDS", time.monotonic() - start)

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for dim in (50, 100):
            numbers = " ".join(str(dim + i) for i in range(dim))
            archive.writestr(f"glove.6B.{dim}d.txt", f"good {numbers}\\nbad {numbers}\\n")
    body, requests = data.getvalue(), []

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append((self.command, self.path))
            self.send_response(200)
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", "0123456789abcdef0123456789abcdef01234567")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("FIRST", recipe.matrix(corpus)[2, :3].tolist())
    print("REQUESTS", sorted(set(requests)))
    server.shutdown()
    server.server_close()
    requests.clear()
    print("AGAIN", GloveEmbedding(dim=100).matrix(corpus)[2, :3].tolist(), requests)
"""


def run_with_hub(script, tmp_path, **variables):
    """Run a script whose hub is on this machine and whose cache is empty."""
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0", "NO_PROXY": "*"}
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_ENDPOINT"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_glove_from_a_hub_and_from_the_cache(tmp_path):
    shown = run_with_hub(HUB, tmp_path, TQDM_POSITION="-1")  # -1: a bar without a terminal, too
    refused = re.search(
        r"REFUSED cannot download http://127.0.0.1:\d+/stanfordnlp/glove/resolve/main/glove.6B.zip "
        r"\(ConnectE.*: .*\)\. Fetch it where there is a network and set embedding=file "
        r"embedding.path=glove.6B.zip embedding.dim=50; ",
        shown,
    )
    assert refused, shown
    assert float(re.search(r"SECONDS (.*)", shown)[1]) < 30
    assert "FIRST [50.0, 51.0, 52.0]" in shown
    path = "/stanfordnlp/glove/resolve/main/glove.6B.zip"
    assert f"REQUESTS [('GET', '{path}'), ('HEAD', '{path}')]" in shown
    assert re.search(r"glove.6B.zip.*100%", shown)  # the client's progress bar
    assert "AGAIN [100.0, 101.0, 102.0] []" in shown
    assert re.search(r"found 2 of 2 words \(100.0 %\) in .*glove.6B.zip:glove.6B.50d.txt", shown)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["silent", "offline"])
def test_glove_gives_up_soon(case, tmp_path):
    script = """
        import os, socket, time
        listener = socket.create_server(("127.0.0.1", 0))  # takes calls and never answers
        os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        from pathlib import Path
        from sentiment_pl.embeddings.glove import GloveEmbedding
        from sentiment_pl.embeddings.recipes import Corpus
        from sentiment_pl.errors import DataError
        start = time.monotonic()
        try:
            GloveEmbedding(dim=50).matrix(Corpus(["", "", "good"], list, "", Path("none")))
        except DataError as error:
            print(error)
        print("SECONDS", time.monotonic() - start)
    """
    shown = run_with_hub(script, tmp_path, HF_HUB_OFFLINE=str(int(case == "offline")))
    assert "cannot download http" in shown
    assert float(re.search(r"SECONDS (.*)", shown)[1]) < 60
