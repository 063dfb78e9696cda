#!/bin/sh
# Small deliberate defects (tests/seeded-bugs/*.patch), all in one test build of a copy of the tree: each patch asks
# `seeded::on("its name")`, and SIPDLG_SEEDED says which one is on. With none the tests of two agents in memory pass; with
# each of them a test fails, and the first one that does ends the run. A patch that does not apply or build any more is a
# failure too. Those in tests/seeded-bugs/explorer differ from what is right in nothing but a timer that waits: the
# explorer must find them, and must not when it is told to take states for the same whatever waits.
#   tests/seeded_bugs.sh [NAME...]     only the bugs whose name contains NAME
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
target=${SEEDED_TARGET_DIR:-$root/target/seeded-bugs}
tree=$target/tree
log=$target/log
missed=0
found=0

give_up() {
    tail -n 40 "$log"
    echo "seeded bugs: $1"
    exit 1
}

# The name of the bug in a patch: that of its file without the number.
name_of() { basename "$1" .patch | sed 's/^[0-9]*-//'; }

# Fresh files carry fresh times, so that cargo sees every change.
fill() {
    rm -rf "$tree" && mkdir -p "$tree" &&
        (cd "$root" && tar cf - --exclude=./target --exclude=./.git .) | (cd "$tree" && tar xmf -) &&
        cp "$root/tests/seeded-bugs/seeded.rs" "$tree/src/" && echo 'pub mod seeded;' >>"$tree/src/lib.rs"
}

# The first test of a program that fails with a bug on; nothing when all pass.
first_failure() {
    (cd "$tree" && SIPDLG_SEEDED=$1 timeout 300 "$2" 2>/dev/null) |
        sed -n '/^test .* \.\.\. FAILED$/{s/^test \(.*\) \.\.\. FAILED$/\1/p;q}'
}

wanted() {
    [ $# -eq 1 ] && return 0
    patch_name=$1
    shift
    for part in "$@"; do
        case $patch_name in *"$part"*) return 0 ;; esac
    done
    return 1
}

mkdir -p "$target"
fill || exit 1
for patch in "$root"/tests/seeded-bugs/*.patch "$root"/tests/seeded-bugs/explorer/*.patch; do
    name=$(name_of "$patch")
    asked=$(sed -n 's/^+.*seeded::on("\([^"]*\)").*/\1/p' "$patch" | sort -u)
    [ "$asked" = "$name" ] || give_up "$name asks whether \"$asked\" is on"
    (cd "$tree" && patch -p1 -s -F3) <"$patch" >"$log" 2>&1 || give_up "$name does not apply any more"
done
(cd "$tree" && CARGO_TARGET_DIR=$target CARGO_PROFILE_DEV_DEBUG=0 cargo test --locked --no-default-features --test session --test explore --no-run) >"$log" 2>&1 ||
    give_up "the patches do not build any more"
program_of() {
    program=$(sed -n "s/.*Executable tests.$1.main\\.rs (\\(.*\\))\$/\\1/p" "$log")
    case $program in /*) ;; *) program=$tree/$program ;; esac
    [ -x "$program" ] || give_up "cargo does not say where the tests are"
    echo "$program"
}
session=$(program_of session) || { echo "$session"; exit 1; }
explorer=$(program_of explore) || { echo "$explorer"; exit 1; }
(cd "$tree" && SIPDLG_SEEDED='' "$session") >"$log" 2>&1 || give_up "the tests fail without any bug"

for patch in "$root"/tests/seeded-bugs/*.patch; do
    name=$(name_of "$patch")
    wanted "$name" "$@" || continue
    by=$(first_failure "$name" "$session")
    if [ -n "$by" ]; then
        echo "seeded bugs: $name found by $by"
        found=$((found + 1))
    else
        echo "seeded bugs: $name was NOT found"
        missed=$((missed + 1))
    fi
done
for patch in "$root"/tests/seeded-bugs/explorer/*.patch; do
    name=$(name_of "$patch")
    wanted "$name" "$@" || continue
    by=$(first_failure "$name" "$explorer")
    blind=$(SIPDLG_EXPLORE_WITHOUT_TIMERS=1 first_failure "$name" "$explorer")
    if [ -n "$by" ] && [ -z "$blind" ]; then
        echo "seeded bugs: $name found by the explorer, and not where states count as the same whatever waits"
        found=$((found + 1))
    else
        echo "seeded bugs: $name: found by \"$by\", without timers by \"$blind\""
        missed=$((missed + 1))
    fi
done
echo "seeded bugs: $found found, $missed missed"
[ "$missed" -eq 0 ] && [ "$found" -gt 0 ]
