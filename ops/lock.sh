#!/bin/sh
# Makes both locks from pyproject.toml, for every Python from 3.11 up: lock.sh PYTHON [uv options]
set -eu
python=$(sh "$(dirname "$0")/python.sh" "$1")
shift
venv=.venv-lock
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv

compile() {
    "$venv/bin/uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 \
        --generate-hashes --custom-compile-command "make lock" "$@"
}

compile --output-file requirements.lock "$@"
compile --extra demo --extra dev --output-file requirements-dev.lock "$@"
echo "Made requirements.lock and requirements-dev.lock."
