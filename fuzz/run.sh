#!/bin/bash
# Runs the fuzz targets: fuzz/run.sh [--seconds N | --runs N] [--jobs N] [TARGET…]
#
# Each target (fuzz/src/bin) gets bytes from libFuzzer, which follows what the parsers do with them, and asserts what must
# hold of whatever they take. Without targets: all of them, one after the other on each of the machine's cores. --seconds is
# the time of each target (30), --runs the executions of each instead. It builds with the stable compiler: LLVM's own
# coverage instrumentation, and no sanitizer, since no code of ours is `unsafe`.
#
# What is found lies in fuzz/findings/TARGET-…; `fuzz/run.sh TARGET FILE` runs a target on a file alone. What is learnt
# about a target stays in fuzz/corpus/TARGET (not in Git); it begins with fuzz/seeds/TARGET, which fuzz/seeds.py writes.
set -euo pipefail
cd "$(dirname "$0")"

amount=(-max_total_time=30) jobs=$(nproc) targets=() files=()
while (($#)); do
    case $1 in
        --seconds) amount=("-max_total_time=$2"); shift 2 ;;
        --runs) amount=("-runs=$2"); shift 2 ;;
        --jobs) jobs=$2; shift 2 ;;
        -*) echo "Error: $1 is not known; see the head of $0" >&2; exit 2 ;;
        *) if [[ -f src/bin/$1.rs ]]; then targets+=("$1")
           elif [[ -f $OLDPWD/$1 ]]; then files+=("$OLDPWD/$1")
           elif [[ -f $1 ]]; then files+=("$1")
           else echo "Error: $1 is neither a target nor a file" >&2; exit 2; fi
           shift ;;
    esac
done
if ((${#targets[@]} == 0)); then for file in src/bin/*.rs; do targets+=("$(basename "$file" .rs)"); done; fi

# What `cargo fuzz` would pass; all of it is known to the stable compiler. With --target, build scripts are left alone.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="${coverage//$'\n'/ }" cargo build --quiet --release --locked --target "$host" \
    $(printf -- ' --bin %s' "${targets[@]}")
programs=target/$host/release
mkdir -p findings

if ((${#files[@]})); then
    for target in "${targets[@]}"; do "$programs/$target" "${files[@]}"; done
    exit
fi

fuzz() {
    local target=$1 log=findings/$1.log
    mkdir -p "corpus/$target"
    # 1 GiB and 10 s for one input are far beyond what any of them needs.
    if "$programs/$target" "${@:2}" -rss_limit_mb=1024 -timeout=10 -max_len=8192 -print_final_stats=1 \
        "-artifact_prefix=findings/$target-" "corpus/$target" "seeds/$target" >"$log" 2>&1
    then
        local say="ok"
    else
        local say="FAILED, see fuzz/$log"
    fi
    local count speed edges
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    edges=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)
    printf '%-14s %10s executions %8s/s %6s edges  %s\n' "$target" "${count:-?}" "${speed:-?}" "${edges:-?}" "$say"
    [[ $say == ok ]]
}
export -f fuzz
export programs
if ! printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz "$@"' _ {} "${amount[@]}"; then
    echo "Error: a target failed; its input lies in fuzz/findings" >&2
    exit 1
fi
