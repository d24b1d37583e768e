"""Users: names and salted hashes of passwords in a file, for HTTP's basic authentication.

Each line is NAME:SALT:HASH, as `python -m experiments.studio.users NAME >> FILE` writes it; "#"
begins a comment. Nobody but the file's owner may change it, and nobody but its group read it.
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from datamodules.support.errors import AtelierError
from datamodules.support.files import read_lines

COST = {"n": 2**14, "r": 8, "p": 1}  # of scrypt: 16 MB and some 50 ms
LINE = re.compile(r"([^:]+):([0-9a-f]{32}):([0-9a-f]{128})")
LONGEST, MOST = 1000, 1000  # characters of a header; headers in memory


def line_of(name: str, password: str) -> str:
    """The line of a user; AtelierError for a name that cannot be one."""
    if not re.fullmatch(r"[^:#\s][^:\s]*", name):
        raise AtelierError(f"{name!r} cannot be a user's name; leave out spaces, colons and #")
    salt = secrets.token_hex(16)
    return f"{name}:{salt}:{_hash(password, salt)}"


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **COST).hex()


class Users:
    """People who may come in. entries: salt and hash by name."""

    def __init__(self, entries: Mapping[str, tuple[str, str]]) -> None:
        self.entries = entries
        self._nobody = secrets.token_hex(16), secrets.token_hex(64)
        self._secret = secrets.token_bytes(32)
        self._answers: dict[bytes, bool] = {}

    def know(self, authorization: str) -> bool:
        """Whether a request's header has the name and the password of a user."""
        kind, _, code = authorization.partition(" ")
        if kind.lower() != "basic" or len(code) > LONGEST:
            return False
        # A page asks a hundred times; no password stays in memory.
        key = hashlib.blake2b(code.encode(), key=self._secret).digest()
        if (answer := self._answers.get(key)) is None:
            if len(self._answers) >= MOST:
                self._answers.clear()
            answer = self._answers[key] = self._check(code)
        return answer

    def _check(self, code: str) -> bool:
        try:
            name, _, password = base64.b64decode(code, validate=True).decode().partition(":")
        except ValueError:
            return False
        # It takes as long for a name that nobody has.
        salt, digest = self.entries.get(name, self._nobody)
        return secrets.compare_digest(_hash(password, salt), digest)


def read_users(file: Path) -> Users:
    """The users in a file; AtelierError if it is missing, empty, damaged or open to others."""
    lines = read_lines(file, "users", "write it by python -m experiments.studio.users NAME")
    if file.stat().st_mode & 0o027:
        raise AtelierError(f"{file} is open to other users of this machine; run: chmod 600 {file}")
    entries = {}
    for number, line in enumerate(lines, 1):
        if not (match := LINE.fullmatch(line)):
            raise AtelierError(
                f"User {number} in {file} is not NAME:SALT:HASH; write the line by "
                "python -m experiments.studio.users NAME"
            )
        entries[match[1]] = (match[2], match[3])
    return Users(entries)


if __name__ == "__main__":
    try:
        print(line_of(sys.argv[1], getpass.getpass()))
    except AtelierError as error:
        sys.exit(f"atelier: {error}")
