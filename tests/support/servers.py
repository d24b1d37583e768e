"""A chat endpoint on this machine, for the tests of what asks one: the fixture `serve`."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

KEY = "sk-planted-123"


def completion(content):
    """A chat endpoint's reply whose message is `content`."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [choice],
    }


class Endpoint:
    """A server that gives its replies in turn, the last one for ever, and keeps the requests."""

    def __init__(self, *replies):
        self.replies, self.requests, self.headers = list(replies), [], []
        self.stopped = threading.Event()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, reply = endpoint.next(json.loads(body), self.headers)
                if status == "hang":
                    endpoint.stopped.wait(20)
                    return
                text = reply if isinstance(reply, str) else json.dumps(reply)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Retry-After-Ms", "10")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def next(self, request, headers):
        self.requests.append(request)
        self.headers.append(headers)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def stop(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@pytest.fixture
def serve(monkeypatch):
    """Starts an endpoint with these replies; a planted key is in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    started = []

    def start(*replies):
        started.append(Endpoint(*replies))
        return started[-1]

    yield start
    for endpoint in started:
        endpoint.stop()
