#!/bin/sh
# Says what the programs in other languages need and is not there, and installs nothing but the packages of node/ beside
# them. Ends with 1 where something is missing.
set -eu
here=$(dirname "$0")
missing=0

need() {
    what=$1 how=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    echo "missing: $what ($how)" >&2
    missing=1
}

need "Node 20 or newer" "Debian: nodejs npm" node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'
need "npm" "Debian: npm" npm --version
need "PHP with phpredis" "Debian: php-cli php-redis" php -r 'exit(class_exists("Redis") ? 0 : 1);'
need "Ruby with the gem redis" "Debian: ruby ruby-redis" ruby -e 'require "redis"'
need "redis-cli 7 or newer" "Debian: redis-tools" sh -c 'redis-cli --version | grep -Eq "[ =](7|8|9)\."'
need "curl 7.76 or newer" "Debian: curl" curl --fail-with-body --version
[ "$missing" = 0 ] || exit 1

npm install --prefix "$here/node" --no-package-lock --ignore-scripts --no-audit --no-fund --silent
