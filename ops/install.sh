#!/bin/sh
# Installs the locked packages and this project into a virtual environment, quietly: install.sh PYTHON FOLDER
set -eu
venv=$2
python=$(sh "$(dirname "$0")/python.sh" "$1")
log=$(mktemp)
trap 'rm -f "$log"' EXIT

interpreter() { "$1" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null; }

install() {
    # An environment of another interpreter cannot be taken over.
    [ "$(interpreter "$venv/bin/python")" = "$(interpreter "$python")" ] || "$python" -m venv --clear "$venv" || return
    "$venv/bin/python" -m pip install --require-hashes -r requirements-dev.lock &&
        "$venv/bin/python" -m pip install --no-deps --no-build-isolation -e .
}

echo "Installing into $venv (once; half a minute, or more on a slow line)..."
if ! install >"$log" 2>&1; then
    cat "$log" >&2
    echo "Installing failed, see above; \`make clean\` starts afresh." >&2
    exit 1
fi
