#!/bin/sh
# Looks for the programs that building (`build`) and testing (`test`) call, and installs the missing ones when it may:
# on Debian, as root. Else it says what to install, and stops.
set -eu

missing=''
want() { # want PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

for what in "$@"; do
    case $what in
    build)
        want cc build-essential
        ;;
    test)
        # The server's programs are looked for where Debian puts them: what is first in PATH may be another build.
        ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || [ -n "${VOUCHSAFE_TEST_POSTGRES:-}" ] ||
            missing="$missing postgresql"
        want chromium chromium
        want chromedriver chromium-driver
        want unzip unzip
        want curl curl
        want python3 python3
        # The TypeScript client is run, and its types are checked.
        want node nodejs
        want tsc node-typescript
        ;;
    *)
        echo "needs.sh: what is '$what'?" >&2
        exit 2
        ;;
    esac
done

if ! command -v cargo >/dev/null 2>&1; then
    echo "vouchsafe needs the Rust toolchain (1.95 or later): https://rustup.rs" >&2
    exit 1
fi
for tool in fmt clippy; do
    case " $* " in *' test '*) ;; *) break ;; esac
    cargo $tool --version >/dev/null 2>&1 || {
        echo "cargo $tool is missing: rustup component add rustfmt clippy" >&2
        exit 1
    }
done

[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "missing:$missing" >&2
    echo "on Debian, as root: apt-get install$missing" >&2
    exit 1
fi
