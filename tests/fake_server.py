#!/usr/bin/env python3
"""Stands in for the vLLM environment's Python: takes vLLM's arguments, answers /health.

It is the server's process tree that is tested: it forks a child that moves into a session of its
own and ignores SIGTERM, as the worst engine process would, and writes both pids to $FAKE_PIDS.
$FAKE_MODE: ok, dies (log lines, then exit 7), never-healthy, stubborn (ignores SIGTERM),
other-name (serves another model).
"""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

MODE = os.environ.get("FAKE_MODE", "ok")


def argument(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = "another" if MODE == "other-name" else argument("--served-model-name")
        body = json.dumps({"data": [{"id": name}]}).encode()
        self.send_response(503 if MODE == "never-healthy" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        print("fatal: told to die", flush=True)
        os._exit(9)


def main() -> None:
    print("fake server starts", flush=True)
    if MODE == "dies":
        print("RuntimeError: not enough memory for the KV cache", flush=True)
        os._exit(7)
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(60)
    if MODE == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    part = Path(os.environ["FAKE_PIDS"] + ".part")
    part.write_text(f"{os.getpid()} {child}")
    part.rename(os.environ["FAKE_PIDS"])
    HTTPServer(("127.0.0.1", int(argument("--port"))), Handler).serve_forever()


if __name__ == "__main__":
    main()
