#!/bin/sh
# Enqueues the job on standard input over Flower's HTTP API with curl, and prints what became of it. FLOWER_LOGIN names a
# file that you alone can read, with the line: user = "NAME:PASSWORD"
set -eu
flower=${FLOWER_URL:-http://127.0.0.1:5555}
call() { curl --silent --show-error --fail-with-body --config "$FLOWER_LOGIN" "$@"; }

sent=$({ printf '{"queue": "invitations", "args": ['; cat; printf ']}'; } |
    call --data-binary @- "$flower/api/task/send-task/invitations.send")
task=$(printf %s "$sent" | sed -n 's/.*"task-id": *"\([^"]*\)".*/\1/p')
answer=$(call "$flower/api/task/result/$task?timeout=30")
case $answer in
*'"state": "refused"'*) echo "$answer" >&2; exit 1 ;;
*'"id": '*) echo "$answer" ;;
*) echo "no worker answered in 30 s; the job waits for one. To send it again doubles nothing." >&2; exit 1 ;;
esac
