#!/bin/sh
# Makes what docker-compose.yml takes as secrets, a file each; what is there already stays: secrets.sh [demo]
# With "demo" also the accounts of the simulated providers and their certificate.
set -eu
cd "$(dirname "$0")/../.."
folder=${INVITATIONS_SECRETS:-secrets}

# Users of containers must read the files, other users of this host must not: the folder above all is closed to them.
umask 022
mkdir -p "$folder"
chmod 700 "$folder"
mkdir -p "$folder/worker" "$folder/redis"

password() { openssl rand -hex 24; }
digest() { printf %s "$1" | openssl dgst -sha256 -r | cut -d ' ' -f 1; }
is_there() { [ -e "$folder/$1" ]; }

if ! is_there redis/users.acl; then
    worker=$(password)
    admin=$(password)
    # Redis 7.0 reads its append-only file with the rights of `default`: with fewer than all it comes back empty.
    # The health check needs no password to do nothing but ping. The rules of `invitations` are those of the README.
    cat >"$folder/redis/users.acl" <<EOF
user default on #$(digest "$admin") ~* &* +@all
user health on nopass resetkeys resetchannels -@all +ping
user invitations on #$(digest "$worker") ~invitations* ~unacked* ~_kombu.* ~celery* ~*.celery.pidbox* &* +@all -@dangerous +info
EOF
    echo "redis://invitations:$worker@redis:6379/0" >"$folder/worker/INVITATIONS_REDIS_URL"
    echo "$admin" >"$folder/redis/default_password"
fi
is_there flower_basic_auth || echo "admin:$(password)" >"$folder/flower_basic_auth"
is_there grafana_password || password >"$folder/grafana_password"

if [ "${1:-}" = demo ] && ! is_there worker/accounts.toml; then
    cat >"$folder/worker/accounts.toml" <<EOF
[accounts.shop_nl]
provider = "webwinkelkeur"
shop_id = 1
code = "demo-code"
base_url = "https://simulator:8900"

[accounts.portal]
provider = "wemasy"
token = "demo-token"
base_url = "https://simulator:8900"

[accounts.reviews]
provider = "feedbackcompany"
client_id = "demo-client"
client_secret = "demo-secret"
base_url = "https://simulator:8900"
EOF
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -config /dev/stdin \
        -keyout "$folder/simulator.key" -out "$folder/worker/simulator_ca.pem" 2>/dev/null <<EOF
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = simulator
[extensions]
subjectAltName = DNS:simulator, DNS:localhost, IP:127.0.0.1
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyCertSign
subjectKeyIdentifier = hash
EOF
    cat "$folder/simulator.key" "$folder/worker/simulator_ca.pem" >"$folder/simulator.pem"
    rm "$folder/simulator.key"
    echo /run/secrets/simulator_ca.pem >"$folder/worker/INVITATIONS_CA_FILE"
fi

if ! is_there worker/accounts.toml; then
    echo "Now copy config/accounts.example.toml to $folder/worker/accounts.toml and put your accounts there."
fi
echo "The secrets are in $folder: flower_basic_auth is Flower's login, grafana_password that of Grafana's admin."
