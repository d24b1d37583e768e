"""Servers that answer, that do not, and proxies."""

import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from datamodules.models import connection
from datamodules.models.connection import answers, forbidding_variable, online
from tests.support.cli import ROOT, process, variables
from tests.support.waiting import wait_until

ASK_ALL = """
from contextlib import suppress
from datamodules.models import download, hub
from datamodules.models.connection import answers
assert not answers("https://huggingface.co")
for ask in (lambda: hub.sizes("a/b"), lambda: download.size("https://download.pytorch.org/m")):
    with suppress(Exception):
        ask()
"""

ASK_XET = """
import hf_xet
access = {"endpoint": "https://cas.invalid", "token": "t", "token_expiry_unix_secs": 2**33}
with hf_xet.XetSession().new_file_download_group(**access) as group:
    group.start_download_file(hf_xet.XetFileInfo("1" * 64, 1000), "never")
"""


def test_a_server_that_answers_and_one_that_does_not(at_hub):
    assert answers(at_hub.url)
    assert answers(f"{at_hub.url}/nothing")  # a 404 is an answer
    at_hub.stop()
    assert not answers(at_hub.url)


@pytest.mark.parametrize("address", ["huggingface.co", "http://", "http://a:b:c/", "mailto:x"])
def test_what_is_no_address_does_not_answer(address):
    assert not answers(address)


def test_a_server_that_speaks_no_http_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet():
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        assert not answers(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join(5)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_no_connection_is_tried(variable, at_hub, monkeypatch):
    monkeypatch.setenv(variable, "1")
    assert forbidding_variable() == variable
    assert not online(at_hub.url)
    assert at_hub.requests == []


def test_a_repository_is_fetched_through_a_proxy(hub, tmp_path):
    """The hub's name does not resolve: every request must go to the proxy."""
    hub.repositories["somebody/tiny"] = {"config.json": b"{}", "model.safetensors": b"x" * 2000}
    proxy = {"HF_ENDPOINT": "http://hub.invalid", "HTTP_PROXY": hub.url, "NO_PROXY": None}
    environment = hub.environment(tmp_path) | proxy
    result = process("weights", "fetch", "hf:somebody/tiny", cwd=tmp_path, **environment)
    assert result.returncode == 0, result.stderr
    assert hub.requests[0].method == "HEAD"  # the probe
    assert all(request.target.startswith("http://") for request in hub.requests)
    assert hub.requests_for("http://hub.invalid/api/") and hub.requests_for("/cdn/")


def test_the_hubs_xet_storage_is_reached_through_the_proxy(hub, tmp_path):
    pytest.importorskip("hf_xet")
    proxy = variables(HTTPS_PROXY=hub.url, NO_PROXY=None)
    with subprocess.Popen([sys.executable, "-c", ASK_XET], env=proxy, cwd=tmp_path) as process:
        wait_until(
            lambda: hub.requests_for("cas.invalid:443", "CONNECT"), "a request of hf-xet", 20
        )
        process.kill()  # it tries for minutes


def test_every_client_reaches_servers_of_https_through_the_proxy(hub):
    proxy = {"HTTPS_PROXY": hub.url, "HF_ENDPOINT": None, "NO_PROXY": None, "HF_HUB_OFFLINE": None}
    code = [sys.executable, "-c", ASK_ALL]
    subprocess.run(code, cwd=ROOT, env=variables(**proxy), check=True, timeout=60)
    hosts = [request.target for request in hub.requests]
    assert hosts[:2] == ["huggingface.co:443"] * 2
    assert hosts[-1] == "download.pytorch.org:443"


def test_a_server_that_did_not_answer_is_asked_once(at_hub):
    at_hub.stop()
    assert not answers(at_hub.url)
    with socket.create_server(("127.0.0.1", urlsplit(at_hub.url).port)) as server:
        server.settimeout(0.2)
        assert not answers(at_hub.url)
        with pytest.raises(TimeoutError):
            server.accept()


def test_without_a_route_only_this_machine_is_asked(tmp_path, at_hub, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(connection, "_has_route", lambda: False)
    monkeypatch.setattr(connection, "_answers", lambda address: "127.0.0.1" in address)
    assert not answers("https://huggingface.co/a")
    assert answers(at_hub.url)


@pytest.mark.parametrize(
    ("ways", "there"),
    [
        ("Iface\tDestination\n", False),
        ("Iface\tDestination\nlo\t0000007F\t00000000\n", False),
        ("00000000 00 00000000 00 lo\n", False),
        ("Iface\tDestination\neth0\t00000000\t010200C0\n", True),
        ("00000000 00 00000000 00 eth0\n", True),
    ],
)
def test_routes_are_read_from_the_systems_tables(tmp_path, ways, there):
    (tmp_path / "route").write_text(ways)
    assert connection._has_route([str(tmp_path / "route")]) == there
