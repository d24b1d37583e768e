"""Commands as another user of this machine, one without a name and, by default, without a home.

The user reads every file, this Python among them, and writes only where any user may.
"""

import os
import shutil
import subprocess

import pytest

from tests.support.cli import command, variables

needs_root = pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("setpriv"), reason="only root can be another user"
)
READING = "-all,+dac_read_search"


def as_user(*words, uid=12345, gid=12345, cwd, umask=0o022, **environment):
    """Run `atelier WORDS` as that user; HOME and the like are unset unless they are named."""
    rights = [f"--{kind}={READING}" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    switch = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *rights]
    bare = dict.fromkeys(("HOME", "USER", "LOGNAME", "ATELIER_CACHE", "XDG_CACHE_HOME"))
    return subprocess.run(
        [*switch, *command(*words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        env=variables(PYTHONDONTWRITEBYTECODE="1", **{**bare, **environment}),
        umask=umask,
    )
