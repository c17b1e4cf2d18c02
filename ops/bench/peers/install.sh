#!/bin/sh
# Installs what the benchmark compares with, beside this project: install.sh PYTHON
set -eu
here=$(dirname "$0")

"$1" -m pip install --quiet --no-build-isolation -e "$here/../../..[bench]"
# arq asks for an older redis-py than this project and taskiq do, and works with theirs.
"$1" -m pip install --quiet --no-deps "arq==0.28.0"
if command -v npm >/dev/null; then
    npm install --prefix "$here/bullmq" --no-package-lock --ignore-scripts --no-audit --no-fund --silent
fi
