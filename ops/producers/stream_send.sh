#!/bin/sh
# Enqueues the job on standard input with redis-cli, and prints what became of it.
set -eu
redis() { redis-cli -e --no-auth-warning -u "${REDIS_URL:-redis://127.0.0.1:6379/0}" "$@"; }

entry=$(redis -x XADD invitations:inbox '*' answer yes job)
answer=$(redis BLPOP "invitations:answer:$entry" 30 </dev/null | tail -n 1)
case $answer in
*'"state": "refused"'*) echo "$answer" >&2; exit 1 ;;
*'"state": '*) echo "$answer" ;;
*) echo "no worker answered in 30 s; the job waits for one. To send it again doubles nothing." >&2; exit 1 ;;
esac
