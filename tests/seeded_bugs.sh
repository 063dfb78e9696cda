#!/bin/sh
# Small deliberate defects (tests/seeded-bugs/*.patch), each in a copy of the tree: the tests of two agents in memory must
# fail for every one of them. A patch that no longer applies or builds is a failure too.
#   tests/seeded_bugs.sh [NAME...]     only the patches whose name contains NAME
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
copy=$(mktemp -d) || exit 1
trap 'rm -rf "$copy"' EXIT INT TERM
target=${SEEDED_TARGET_DIR:-$root/target/seeded-bugs}
missed=0
found=0

build() { (cd "$copy/tree" && CARGO_TARGET_DIR="$target" cargo test --quiet --no-default-features --test session "$@"); }

# Fresh files carry fresh times, so that cargo sees every change.
fill() {
    rm -rf "$copy/tree" && mkdir "$copy/tree" &&
        (cd "$root" && tar cf - --exclude=./target --exclude=./.git .) | (cd "$copy/tree" && tar xmf -)
}

wanted() {
    [ $# -eq 1 ] && return 0
    patch_name=$1
    shift
    for name in "$@"; do
        case $patch_name in *"$name"*) return 0 ;; esac
    done
    return 1
}

fill || exit 1
if ! build >"$copy/log" 2>&1; then
    tail -n 40 "$copy/log"
    echo "seeded bugs: the tests fail without any bug"
    exit 1
fi
for patch in "$root"/tests/seeded-bugs/*.patch; do
    name=$(basename "$patch" .patch)
    wanted "$name" "$@" || continue
    fill || exit 1
    if ! (cd "$copy/tree" && patch -p1 -s -F3) <"$patch" >"$copy/log" 2>&1 || ! build --no-run >"$copy/log" 2>&1; then
        tail -n 20 "$copy/log"
        echo "seeded bugs: $name does not apply or build any more"
        missed=$((missed + 1))
    elif build >"$copy/log" 2>&1; then
        echo "seeded bugs: $name was NOT found"
        missed=$((missed + 1))
    else
        echo "seeded bugs: $name found by $(grep -c '^    [a-z_]*::' "$copy/log") tests, $(grep -c 'broken rule' "$copy/log") of them by the wire checker"
        found=$((found + 1))
    fi
done
echo "seeded bugs: $found found, $missed missed"
[ "$missed" -eq 0 ] && [ "$found" -gt 0 ]
