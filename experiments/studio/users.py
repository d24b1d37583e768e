"""Users: names and salted hashes of passwords in a file, for HTTP's basic authentication.

Each line is NAME:SALT:HASH, as `line_of` makes it; "#" begins a comment. Only the file's owner and
group may read it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path

from datamodules.support.errors import AtelierError
from datamodules.support.files import read_lines

COST = {"n": 2**14, "r": 8, "p": 1}  # of scrypt: 16 MB and some 50 ms


def line_of(name: str, password: str) -> str:
    """The line of a user; AtelierError for a name with a colon, or an empty one."""
    if not name or ":" in name or not name.isprintable():
        raise AtelierError("A user's name has no colon and is not empty; choose another")
    salt = secrets.token_hex(16)
    return f"{name}:{salt}:{_hash(password, salt)}"


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **COST).hex()


class Users:
    """Who may come in. entries: salt and hash by name."""

    def __init__(self, entries: Mapping[str, tuple[str, str]]) -> None:
        self.entries = entries
        self._nobody = (secrets.token_hex(16), secrets.token_hex(64))
        self._secret = secrets.token_bytes(32)
        self._answers: dict[bytes, bool] = {}

    def know(self, authorization: str) -> bool:
        """Whether a request's header has the name and the password of a user."""
        kind, _, code = authorization.partition(" ")
        if kind.lower() != "basic" or len(code) > 1000:
            return False
        # A page asks a hundred times; the memory holds no password.
        key = hashlib.blake2b(code.encode(), key=self._secret).digest()
        if key not in self._answers:
            if len(self._answers) > 1000:
                self._answers.clear()
            self._answers[key] = self._check(code)
        return self._answers[key]

    def _check(self, code: str) -> bool:
        try:
            name, _, password = base64.b64decode(code, validate=True).decode().partition(":")
        except ValueError:
            return False
        salt, digest = self.entries.get(name, self._nobody)  # as long for a name that nobody has
        return secrets.compare_digest(_hash(password, salt), digest)


def read_users(file: Path) -> Users:
    """The users in a file; AtelierError if it is missing, empty, damaged, or open to everybody."""
    lines = read_lines(file, "users", "write lines NAME:SALT:HASH, see docs/studio.md")
    if file.stat().st_mode & 0o007:
        raise AtelierError(f"{file} is open to every user of this machine; run: chmod 600 {file}")
    entries = {}
    for number, line in enumerate(lines, 1):
        name, salt, digest = ([*line.split(":"), "", ""])[:3]
        if not (name and len(salt) == 32 and len(digest) == 128):
            raise AtelierError(f"User {number} of {file} is not NAME:SALT:HASH; make the line anew")
        entries[name] = (salt, digest)
    return Users(entries)
