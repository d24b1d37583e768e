"""A public address for the page, through the tunnel that Gradio's makers offer."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from datamodules.support.errors import AtelierError, reason
from datamodules.support.files import sha256


@contextmanager
def sharing(host: str, port: int) -> Iterator[str]:
    """The public address of a server that listens here, while the block lasts.

    Raises AtelierError where there is none to be had.
    """
    from gradio import networking

    with TemporaryDirectory() as folder:
        networking.CERTIFICATE_PATH = f"{folder}/certificate.pem"  # else in the present folder
        try:
            yield _address(host, port)
        finally:
            _end()


def _address(host: str, port: int) -> str:
    """The address at which the tunnel begins, once it is open; AtelierError without one."""
    from gradio import networking

    try:
        with redirect_stdout(sys.stderr):
            _fetch_program()
            return networking.setup_tunnel(host, port, secrets.token_urlsafe(32), None, None)
    except Exception as error:  # of the network, and many kinds of Gradio's
        raise AtelierError(
            f"--share got no public address ({reason(error)}); it needs the network. "
            "docs/studio.md shows how to put the page behind an address of your own"
        ) from error


def _fetch_program() -> None:
    """Gradio's tunnel program, refused unless its bytes are those that Gradio names."""
    from gradio import tunneling

    tunneling.Tunnel.download_binary()
    # Gradio looks at the bytes on the day of the download only, and leaves wrong ones there.
    program = Path(tunneling.BINARY_PATH)
    if sha256(program) != tunneling.CHECKSUMS[tunneling.BINARY_URL]:
        program.unlink()
        raise ValueError(f"{program.name} was damaged, and has been removed")


def _end() -> None:
    """End the program, which Gradio reports on stdout."""
    from gradio import tunneling

    with redirect_stdout(sys.stderr):
        while tunneling.CURRENT_TUNNELS:
            tunnel = tunneling.CURRENT_TUNNELS.pop()
            program = tunnel.proc
            tunnel.kill()
            if program:
                program.wait(10)
