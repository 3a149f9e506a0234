#!/bin/sh
# postgres.sh COMMAND [ARGUMENT…]
#
# Runs a command beside a PostgreSQL cluster of its own, whose address it finds in VOUCHSAFE_TEST_POSTGRES, and exits as
# the command did. The cluster lives in a temporary folder, listens on a socket in there and on no network, and is
# stopped and removed in the end, whatever happens. A server named in VOUCHSAFE_TEST_POSTGRES beforehand is used as it is.
set -eu

if [ -n "${VOUCHSAFE_TEST_POSTGRES:-}" ]; then
    exec "$@"
fi

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ ! -x "$bin/initdb" ]; then
    echo "no PostgreSQL server in /usr/lib/postgresql: apt-get install postgresql" >&2
    exit 1
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/vouchsafe-pg.XXXXXX")
# The server refuses to run as root, so root runs it as the user that the Debian package made.
if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
    as='runuser -u postgres --'
else
    as=''
fi

stop() {
    trap '' INT TERM HUP # whoever asks twice must not leave a server behind
    # shellcheck disable=SC2086 # a command and its arguments
    $as "$bin/pg_ctl" stop -s -m immediate -D "$folder/data" >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

cd "$folder" # a folder that the server's user may stand in
# Letters are sorted as a language does, as on most servers, and not by their bytes: nothing may hang on it. By ICU,
# which every machine has, where a bare one has no locale of the C library's.
# shellcheck disable=SC2086
$as "$bin/initdb" --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C --locale-provider=icu \
    --icu-locale=en-US -D "$folder/data" >"$folder/log"
# What is lost when the machine falls over is of no interest here, so nothing waits for the disk.
# shellcheck disable=SC2086
if ! $as "$bin/pg_ctl" start -s -w -D "$folder/data" -l "$folder/data/server.log" -o "-c listen_addresses='' \
    -c unix_socket_directories='$folder' -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
    -c max_connections=300 -c shared_buffers=64MB -c log_min_messages=panic"; then
    cat "$folder/data/server.log" >&2
    exit 1
fi
cd - >/dev/null

export VOUCHSAFE_TEST_POSTGRES="postgres://postgres@localhost/postgres?host=$folder"
"$@"
