"""A Python in which some packages are not installed, for processes: `python_without`."""

import os
import subprocess
import sys

from tests.support.cli import ROOT

# Finders that see neither the modules nor their metadata, as in an environment without them.
HIDING = """
import sys
class Without:
    def __init__(self, finder): self.finder = finder
    def find_spec(self, name, *rest):
        return None if name.partition(".")[0] in HIDDEN else self.finder.find_spec(name, *rest)
    def find_distributions(self, *context):
        find = getattr(self.finder, "find_distributions", lambda *_: ())
        return (one for one in find(*context) if one.name not in HIDDEN)
    def invalidate_caches(self): pass
sys.meta_path[:] = map(Without, sys.meta_path)
"""


def python_without(hidden, code, cwd, **environment):
    """Run Python code in a process that lacks the packages `hidden`."""
    return subprocess.run(
        [sys.executable, "-c", f"HIDDEN = {list(hidden)!r}\n{HIDING}\n{code}"],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", **environment},
    )
