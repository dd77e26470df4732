#!/bin/sh
# Prints the tables of how fast this is, on this machine, now: cold verification beside the limit that is measured in the
# same run, the everyday commands, how both grow, and the peers.
#
#   benches/table.sh [SIZE…]      sizes: 1000 10000 100000 unless named; 1000000 takes half an hour and 3 GB in TMPDIR
#
# Times are CPU times (user and system, of all cores together) unless they say wall: the load of others stretches the clock
# more than them. Each is the median of RUNS runs (5), with the least and the most. Needs git, ssh-keygen, GNU time,
# python3 and cargo.
#
# The limit is what reading each object once (in the order of the pack) and one strict verification a signature cost, and
# nothing else (benches/limit.rs). It is run before each of ours, so that both see the same machine. The peers verify the
# newest PEERS (300) events: the same files, and as many SSH-signed commits.
#
# With LEDGERS=DIR the ledgers are made there, and found again by the next run; else they go with it.
set -eu
[ $# -gt 0 ] || set -- 1000 10000 100000
runs=${RUNS:-5}
peers=${PEERS:-300}
jit=${JIT:-target/release/jit}
generate=${GENERATE:-cargo bench --quiet --bench generate --}
limit=${LIMIT:-cargo bench --quiet --bench limit --}
[ -n "${JIT:-}" ] || cargo build --release --quiet
$limit > /dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"
export HOME="$work/home" GIT_CONFIG_NOSYSTEM=1
ledgers=${LEDGERS:-$work} keys=${LEDGERS:-$work}/keys
mkdir -p "$HOME" "$keys"

# Microseconds of CPU time: GNU time has hundredths of a second, and is asked for the memory only.
cat > "$work/measure.py" << 'EOF'
import resource, subprocess, sys, time
before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
done = subprocess.run(["/usr/bin/time", "-o", sys.argv[1], "-f", "%M"] + sys.argv[2:]).returncode
wall, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1]) as file:
    peak = file.read().split()[-1]
with open(sys.argv[1], "w") as file:
    spent = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(spent * 1000, wall * 1000, peak, file=file)
sys.exit(done)
EOF

# Runs a command once, and gives it what comes in; its CPU ms, wall ms and peak kB go to the file $1.
once() {
    to=$1
    shift
    # 4: verified, with findings (reviews that are due).
    python3 "$work/measure.py" "$work/time" "$@" > "$work/out" 2> "$work/log" || [ $? -eq 4 ] || {
        echo "Error: failed: $*" >&2
        tail -n 5 "$work/log" >&2
        exit 1
    }
    cat "$work/time" >> "$to"
}

# The same, RUNS times, into a fresh file.
often() {
    to=$1
    : > "$to"
    shift
    i=0
    while [ $i -lt "$runs" ]; do
        once "$to" "$@"
        i=$((i + 1))
    done
}

# Of the file $1: the median, least and most CPU ms, the median wall ms, the peak kB.
summary() {
    sort -n "$1" | awk '{ cpu[NR] = $1; if ($3 > peak) peak = $3 } END { m = int((NR + 1) / 2); printf "%.1f %.1f %.1f ", cpu[m], cpu[1], cpu[NR] }'
    awk '{ print $2 }' "$1" | sort -n | awk '{ wall[NR] = $1 } END { printf "%.1f ", wall[int((NR + 1) / 2)] }'
    awk '{ if ($3 > peak) peak = $3 } END { printf "%d\n", peak }' "$1"
}

# A row of the first table: what, events, the summary, the last column.
row() {
    awk -v what="$1" -v n="$2" -v m="$3" -v l="$4" -v h="$5" -v w="$6" -v p="$7" -v last="$8" 'BEGIN {
        printf "| %-32s | %8d | %9.1f | %8.1f–%-8.1f | %9.1f | %7.1f | %s |\n",
            what, n, m * 1000 / n, l * 1000 / n, h * 1000 / n, w * 1000 / n, p / 1024, last }'
}

for who in rita raj alice bob carol dave erin minter db1 ca-prod log; do
    [ -e "$keys/$who" ] || ssh-keygen -q -t ed25519 -N '' -C '' -f "$keys/$who"
done
key() { cut -d' ' -f1,2 "$keys/$1.pub"; }
member() { printf '[member.%s]\nemail = "%s@acme.example"\ngroups = [%s]\nkeys = ["%s"]\n' "$1" "$1" "$2" "$(key "$1")"; }
{
    printf 'version = 1\nname = "acme/production"\nclock_skew = "2m"\n'
    printf 'decide_within = "8h"\nactivate_within = "1h"\nstaleness = "10m"\n'
    printf '[root]\nthreshold = 1\nmembers = ["rita", "raj"]\n'
    member alice '"developers"'
    member bob '"sre"'
    member carol '"sre"'
    member dave '"security"'
    member erin '"security"'
    member rita ''
    member raj ''
    printf '[service.minter]\nemail = "minter@acme.example"\nkeys = ["%s"]\nmints = ["prod"]\n' "$(key minter)"
    printf '[host.db1]\nemail = "db1@acme.example"\nkeys = ["%s"]\ntargets = ["payments-db"]\n' "$(key db1)"
    printf '[log]\nkey = "%s"\n[environment.prod]\nca = "%s"\n' "$(key log)" "$(key ca-prod)"
    cat << 'EOF'
[target.payments-db]
environment = "prod"
data = ["npi"]
[target.payments-db.role.read-only]
logins = ["readonly"]
requesters = ["developers"]
approve = [{ group = "sre", count = 1 }, { group = "security", count = 1 }]
max_duration = "2h"
ticket = "^(INC|CHG)-[0-9]+$"
source_address = ["127.0.0.0/8"]
extensions = ["permit-pty"]
record = "off"
review = { group = "security", count = 1, within = "24h", checks = ["no lingering changes", "no open data streams"] }
[revoke]
groups = ["security", "sre"]
[lock]
groups = ["security"]
EOF
} > "$work/policy.toml"

printf 'Machine: %s, %s cores, %s, load %s; median of %s runs.\n\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname -sr)" \
    "$(cut -d' ' -f1 /proc/loadavg)" "$runs"
echo '| what                             |   events | CPU µs an event | least–most | wall µs | peak MiB | |'
echo '|---|---|---|---|---|---|---|'
: > "$work/everyday"
last='' first_us=''
# How near to the limit this is, and how it has grown since the first size.
ratio() {
    awk -v limit="$limit_ms" -v cold="$cold_ms" -v n="$events" -v first="$first_us" 'BEGIN {
        printf "%.0f %% of the limit", limit * 100 / cold
        if (first) printf ", %.0f %% of proportional", cold * 1000 / n / first * 100 }'
}
# Of a command: its times at this size.
told() { printf '%s\t%s\t%s\n' "$1" "$events" "$(summary "$2")" >> "$work/everyday"; }
for size; do
    began=$(date +%s)
    [ -z "$last" ] || [ -n "${LEDGERS:-}" ] || rm -rf "$last"
    ledger=$ledgers/ledger-$size.git
    if [ ! -e "$ledger" ]; then
        $generate "$ledger" "$keys" "$work/policy.toml" "$size" > "$work/generated"
        # -f: as git packs what comes one by one. The one pack of fast-import keeps its own differences.
        git --git-dir="$ledger" repack -a -d -f -q
    fi
    rm -rf "$ledger/jit"
    events=$(git --git-dir="$ledger" rev-list --count main)
    made=$(date +%s)
    bytes=$(($(du -sk "$ledger/objects/pack" | cut -f1) * 1024 / events))
    : > "$work/limit"
    : > "$work/cold"
    cold_runs=$runs
    # Minutes each.
    [ "$size" -lt 1000000 ] || cold_runs=$((runs < 3 ? runs : 3))
    i=0
    while [ $i -lt "$cold_runs" ]; do
        $limit "$ledger" | awk -v cores="$(nproc)" '{ print $NF, $NF / cores, 0 }' >> "$work/limit"
        once "$work/cold" "$jit" --ledger "$ledger" verify --full
        i=$((i + 1))
    done
    # shellcheck disable=SC2046 # several words
    set_limit() { limit_ms=$1; }
    # shellcheck disable=SC2046
    set_limit $(summary "$work/limit")
    set_cold() { cold_ms=$1; }
    # shellcheck disable=SC2046
    set_cold $(summary "$work/cold")
    # shellcheck disable=SC2046
    row 'limit: read all, verify strictly' "$events" $(summary "$work/limit") "$bytes bytes an event, packed"
    # shellcheck disable=SC2046
    row 'jit verify --full' "$events" $(summary "$work/cold") "$(ratio)"

    # Everyday commands, which begin with a snapshot.
    once /dev/null "$jit" --ledger "$ledger" verify
    case=$(git --git-dir="$ledger" log -1 --format=%s main | cut -d' ' -f2 | tr -d :)
    since=$(git --git-dir="$ledger" rev-parse main~10)
    everyday() {
        what=$1
        shift
        often "$work/times" "$jit" --ledger "$ledger" --as alice --key "$keys/alice" "$@"
        told "$what" "$work/times"
    }
    everyday verify verify
    everyday 'verify --since (10 events)' verify --since "$since"
    everyday status status
    everyday 'list --state live' list --state live
    everyday show show "$case"
    everyday 'request --dry-run' request payments-db/read-only --for 30m --reason 'Payments are stuck' --ticket INC-4711 \
        --risk low --impact 'Reads customer rows' --rollback 'Nothing is changed' --data npi --dry-run

    # What is signed here, what a push brings, and who wants to get in.
    as() {
        who=$1
        shift
        "$jit" --ledger "$ledger" --as "$who" --key "$keys/$who" --yes --quiet "$@" 2>> "$work/log"
    }
    ask="request payments-db/read-only --for 30m --ticket INC-4711 --risk low --data npi"
    # shellcheck disable=SC2086
    asks() { "$@" $ask --reason 'Payments are stuck' --impact 'Reads customer rows' --rollback 'Nothing is changed'; }
    : > "$work/append"
    : > "$work/mint"
    i=0
    while [ $i -lt "$runs" ]; do
        asks once "$work/append" "$jit" --ledger "$ledger" --as alice --key "$keys/alice" --yes --json
        case=$(sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' "$work/out" | head -n 1)
        as bob approve "$case" > /dev/null
        as dave approve "$case" > /dev/null
        once "$work/mint" "$jit" --ledger "$ledger" --as minter --key "$keys/minter" --yes mint \
            --ca "prod=$keys/ca-prod"
        i=$((i + 1))
    done
    told 'request, signed and on disk' "$work/append"
    told 'mint of one due case' "$work/mint"
    as alice credential "$case" > "$work/certificate"

    remote=$work/remote.git
    mkdir "$remote"
    # The same objects under another name, so that a push can be judged again and again.
    cp -al "$ledger/objects" "$ledger/refs" "$ledger/HEAD" "$ledger/config" "$remote/"
    new=$(git --git-dir="$ledger" rev-parse main)
    old=$(git --git-dir="$ledger" rev-parse main~10)
    rm -f "$remote/packed-refs" "$remote/refs/heads/main"
    git --git-dir="$remote" update-ref refs/heads/main "$old"
    printf '%s %s refs/heads/main\n' "$old" "$new" > "$work/push"
    hook() { env -C "$remote" GIT_DIR=. "$jit" hook pre-receive < "$work/push"; }
    hook 2>> "$work/log"
    : > "$work/times"
    i=0
    while [ $i -lt "$runs" ]; do
        once "$work/times" env -C "$remote" GIT_DIR=. "$jit" hook pre-receive < "$work/push"
        i=$((i + 1))
    done
    told 'pre-receive of 10 events' "$work/times"
    rm -rf "$remote"

    mkdir -p "$work/host/published" "$work/host/run/sessions"
    {
        printf 'host = "db1"\nledger = "%s"\nremote = "%s"\nuser = "%s"\n' \
            "$("$jit" --ledger "$ledger" verify --json 2>> "$work/log" | sed -n 's/.*"ledger": *"\([^"]*\)".*/\1/p')" "$ledger" \
            "$(id -un)"
        printf 'key = "%s"\nmirror = "%s"\npublished = "%s"\nrun = "%s"\n' \
            "$keys/db1" "$work/host/mirror" "$work/host/published" "$work/host/run"
    } > "$work/host/host.toml"
    chmod 700 "$work/host" "$work/host/published" "$work/host/run" "$work/host/run/sessions"
    "$jit" host --config "$work/host/host.toml" sync --once > /dev/null 2>> "$work/log"
    often "$work/times" "$jit" host --config "$work/host/host.toml" principals -- \
        readonly jit:x:alice 1 SHA256:x "$(cut -d' ' -f2 "$work/certificate")"
    told 'host principals' "$work/times"
    often "$work/times" "$jit" host --config "$work/host/host.toml" sync --once
    told 'host sync, nothing new' "$work/times"
    rm -rf "$work/host"

    last=$ledger last_us=$(awk -v ms="$cold_ms" -v n="$events" 'BEGIN { print ms * 1000 / n }')
    [ -n "$first_us" ] || first_us=$last_us
    echo "$events events: made and packed in $((made - began)) s, measured in $(($(date +%s) - made)) s" >&2
done

# The peers, over the newest events of the last ledger.
git --git-dir="$last" show main:allowed_signers > "$work/allowed"
git --git-dir="$last" log -n "$peers" --format=%H main > "$work/commits"
mkdir "$work/files"
: > "$work/list"
while read -r commit; do
    # Events alone: not what a proposal brings, and not the governed files.
    event=$(git --git-dir="$last" diff-tree --root -r --name-only --no-commit-id "$commit" |
        grep '^ledger/[0-9/]*/[a-z2-7]*/[a-z-]*-[a-z2-7]*\.toml$')
    kind=$(basename "$event")
    actor=$(git --git-dir="$last" log -1 --format=%an "$commit")
    git --git-dir="$last" show "$commit:$event" > "$work/files/$commit"
    git --git-dir="$last" show "$commit:$event.sig" > "$work/files/$commit.sig"
    echo "$commit ${kind%-*} $actor" >> "$work/list"
done < "$work/commits"
count=$(wc -l < "$work/list")
cat > "$work/keygen.sh" << 'EOF'
set -e
while read -r commit kind actor; do
    ssh-keygen -Y verify -f "$1/allowed" -I "$actor" -n "jit-1/$kind" -s "$1/files/$commit.sig" < "$1/files/$commit"
done < "$1/list"
EOF
slower() {
    awk -v ms="$1" -v n="$count" -v ours="$last_us" 'BEGIN { printf "jit: %d times faster an event", ms * 1000 / n / ours }'
}
often "$work/times" sh "$work/keygen.sh" "$work"
# shellcheck disable=SC2046
row 'ssh-keygen -Y verify, a file each' "$count" $(summary "$work/times") "$(slower $(summary "$work/times"))"

signed=$work/signed
git init -q "$signed"
i=0
while [ $i -lt "$count" ]; do
    git -C "$signed" -c user.name=alice -c user.email=alice@acme.example -c gpg.format=ssh \
        -c user.signingKey="$keys/alice.pub" commit -q -S --allow-empty -m "$i"
    i=$((i + 1))
done
echo "alice@acme.example $(key alice)" > "$work/people"
often "$work/times" git -C "$signed" -c gpg.ssh.allowedSignersFile="$work/people" log --show-signature
[ "$(grep -c 'Good "git" signature' "$work/out")" -eq "$count" ]
# shellcheck disable=SC2046
row 'git log --show-signature (ssh)' "$count" $(summary "$work/times") "$(slower $(summary "$work/times"))"
echo
if command -v sq-git > /dev/null; then
    echo 'sq-git is installed, and is not measured here: it needs a policy and OpenPGP signatures of its own.'
else
    echo 'sq-git is not installed: not measured.'
fi

# A row a command, a column a size.
printf '\nEveryday commands with a snapshot, CPU ms (least–most), wall ms, peak MiB:\n\n'
awk -F'\t' '
    { if (!($2 in seen)) { seen[$2] = 1; sizes[++count] = $2 }
      if (!($1 in known)) { known[$1] = 1; names[++rows] = $1 }
      split($3, of, " ")
      cell[$1, $2] = sprintf("%.1f (%.1f–%.1f), %.1f, %.0f", of[1], of[2], of[3], of[4], of[5] / 1024) }
    END {
        printf "| command |"; for (i = 1; i <= count; i++) printf " %d events |", sizes[i]
        printf "\n|---|"; for (i = 1; i <= count; i++) printf "---|"
        for (j = 1; j <= rows; j++) {
            printf "\n| %s |", names[j]; for (i = 1; i <= count; i++) printf " %s |", cell[names[j], sizes[i]]
        }
        print ""
    }' "$work/everyday"
