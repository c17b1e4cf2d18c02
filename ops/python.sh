#!/bin/sh
# Prints the interpreter that a name stands for, or says what to do where it cannot be used: python.sh NAME
set -eu
name=$1

runs() { "$1" -c pass 2>/dev/null; }

if ! runs "$name" && command -v pyenv >/dev/null; then
    # pyenv answers to the names of all its interpreters, and runs only those that were switched on.
    version=$(pyenv versions --bare | grep "^${name#python}\." | tail -n 1 || true)
    [ -z "$version" ] || export PYENV_VERSION="$version"
fi
if ! runs "$name"; then
    echo "There is no $name here. Install Python 3.11 or newer, or name one: PYTHON=/path/to/python3.13 make ..." >&2
    exit 1
fi
exec "$name" -c '
import sys

if sys.version_info < (3, 11):
    sys.exit("%s is Python %d.%d, and 3.11 or newer is needed. Name one: PYTHON=python3.13 make ..."
             % (sys.argv[1], sys.version_info[0], sys.version_info[1]))
try:
    import ensurepip, venv
except ImportError:
    sys.exit("%s has no venv module. On Debian and Ubuntu: apt install python%d.%d-venv"
             % (sys.argv[1], sys.version_info[0], sys.version_info[1]))
print(sys.executable)
' "$name"
