#!/bin/sh
# Installs with apt-get what the tests need and what is not there yet. Works as root, or with sudo.
set -u

# Debian has servers there, not in everybody's path
PATH=$PATH:/usr/sbin
missing=
need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need cc gcc
need c++ g++
need python3 python3
need sipp sip-tester
need stunnel4 stunnel4
need openssl openssl
need baresip baresip-core
[ -x /usr/sbin/kamailio ] || missing="$missing kamailio"
# its modules are packages of their own
for module in tls outbound; do
    ls /usr/lib/*/kamailio/modules/$module.so >/dev/null 2>&1 || missing="$missing kamailio-$module-modules"
done
need valgrind valgrind
need nsd nsd
need tshark tshark
need node nodejs
need npm npm
need nm binutils
# Debian's python3 comes without what a virtual environment needs
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"

if [ -n "$missing" ]; then
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "install-deps: no apt-get here; install by hand:$missing" >&2
        exit 1
    fi
    # the servers among them are the tests' to start: Debian's maintainer scripts ask this file whether they may
    policy=/usr/sbin/policy-rc.d
    ours='[ -e '$policy' ] || { printf "#!/bin/sh\nexit 101\n" >'$policy' && chmod 755 '$policy' && trap "rm -f '$policy'" EXIT; }'
    # shellcheck disable=SC2086 # a list of packages, a possibly empty command
    $as_root env DEBIAN_FRONTEND=noninteractive sh -c "$ours; apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing" >/dev/null || {
        echo "install-deps: apt-get could not install:$missing" >&2
        exit 1
    }
fi
# AddressSanitizer comes with gcc on most systems; say so here rather than in the middle of the tests
probe=$(mktemp -d)
echo 'int main(void) { return 0; }' >"$probe/probe.c"
if ! cc -fsanitize=address,undefined -o "$probe/probe" "$probe/probe.c" 2>"$probe/log" || ! "$probe/probe"; then
    cat "$probe/log" >&2
    echo "install-deps: this C compiler has no AddressSanitizer" >&2
    rm -rf "$probe"
    exit 1
fi
rm -rf "$probe"
echo "install-deps: everything is there"
