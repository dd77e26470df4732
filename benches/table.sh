#!/bin/sh
# Prints the table of how fast this is, on this machine, now: ours and the peers, as CPU time an event (user and system:
# the load of others stretches the clock more than this), with the median and the spread of RUNS runs.
#
#   benches/table.sh KEYS POLICY [SIZE…]      sizes: 1000 10000 100000 unless named; 1000000 takes minutes
#
# KEYS and POLICY are as benches/generate.rs has them. Needs git, ssh-keygen, GNU time and cargo.
set -eu
keys=$1 policy=$2
shift 2
[ $# -gt 0 ] || set -- 1000 10000 100000
runs=${RUNS:-5}
peer=${PEER:-300}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work/home" GIT_CONFIG_NOSYSTEM=1
mkdir -p "$HOME"
jit=${JIT:-target/release/jit}
[ -n "${JIT:-}" ] || cargo build --release --quiet

# CPU microseconds and peak kilobytes of a command, RUNS times: median, least, most, peak.
measure() {
    before=$1
    shift
    i=0
    : > "$work/times"
    while [ $i -lt "$runs" ]; do
        eval "$before"
        /usr/bin/time -o "$work/time" -f '%U %S %e %M' "$@" > /dev/null 2>> "$work/log" || [ $? -eq 4 ]
        tail -n 1 "$work/time" >> "$work/times"
        i=$((i + 1))
    done
    awk '{ print ($1 + $2) * 1000, $3 * 1000, $4 }' "$work/times" | sort -n |
        awk '{ cpu[NR] = $1; wall[NR] = $2; if ($3 > peak) peak = $3 }
             END { m = int((NR + 1) / 2); printf "%d %d %d %d %d", cpu[m], cpu[1], cpu[NR], wall[m], peak }'
}

row() {
    # what, events, median, least, most (CPU ms), wall ms, peak kB
    awk -v what="$1" -v n="$2" -v m="$3" -v l="$4" -v h="$5" -v w="$6" -v p="$7" 'BEGIN {
        printf "| %-34s | %8d | %9.1f | %9d | %d–%d | %7d | %6.1f |\n", what, n, m * 1000 / n, m, l, h, w, p / 1024 }'
}

printf 'Machine: %s, %s cores, load %s, %s\n\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
    "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)" "$(uname -sr)"
echo '| what | events | CPU µs an event | CPU ms, median | least–most | wall ms | peak MiB |'
echo '|---|---|---|---|---|---|---|'
for size; do
    ledger=$work/ledger-$size.git
    cargo bench --quiet --bench generate -- "$ledger" "$keys" "$policy" "$size" > "$work/generated"
    events=$(git --git-dir="$ledger" rev-list --count main)
    git --git-dir="$ledger" repack -a -d -q
    # The snapshot goes before each cold run; the pin stays.
    # shellcheck disable=SC2046 # several words
    row 'verify --full (cold)' "$events" $(measure : "$jit" --ledger "$ledger" verify --full)
    # shellcheck disable=SC2046
    row 'verify (with a snapshot)' "$events" $(measure : "$jit" --ledger "$ledger" verify)
    # shellcheck disable=SC2046
    row 'status (with a snapshot)' "$events" $(measure : "$jit" --ledger "$ledger" --as alice status)
    # shellcheck disable=SC2046
    row 'list --state live (with a snapshot)' "$events" $(measure : "$jit" --ledger "$ledger" list --state live)
    last=$ledger
done

# The peers, over the newest PEER events of the last ledger: the same files, and as many SSH-signed commits.
git --git-dir="$last" show main:allowed_signers > "$work/allowed"
git --git-dir="$last" log -n "$peer" --format=%H main > "$work/commits"
mkdir "$work/files"
while read -r commit; do
    event=$(git --git-dir="$last" diff-tree --root -r --name-only --no-commit-id "$commit" | grep '/[a-z-]*-[a-z2-7]*\.toml$' | tail -n 1)
    kind=$(basename "$event"); kind=${kind%-*}
    actor=$(git --git-dir="$last" log -1 --format=%an "$commit")
    git --git-dir="$last" show "$commit:$event" > "$work/files/$commit"
    git --git-dir="$last" show "$commit:$event.sig" > "$work/files/$commit.sig"
    echo "$commit $kind $actor" >> "$work/list"
done < "$work/commits"
cat > "$work/keygen.sh" << 'EOF'
while read -r commit kind actor; do
    ssh-keygen -Y verify -f "$1/allowed" -I "$actor" -n "jit-1/$kind" -s "$1/files/$commit.sig" < "$1/files/$commit"
done < "$1/list"
EOF
# shellcheck disable=SC2046
row 'peer: ssh-keygen -Y verify, a loop' "$peer" $(measure : sh "$work/keygen.sh" "$work")
signed=$work/signed
git init -q "$signed"
cp "$keys/alice" "$work/alice"; chmod 600 "$work/alice"; cp "$keys/alice.pub" "$work/alice.pub"
i=0
while [ $i -lt "$peer" ]; do
    git -C "$signed" -c user.name=alice -c user.email=alice@acme.example -c gpg.format=ssh \
        -c user.signingKey="$work/alice.pub" commit -q -S --allow-empty -m "$i"
    i=$((i + 1))
done
echo "alice@acme.example $(cat "$work/alice.pub")" > "$work/people"
# shellcheck disable=SC2046
row 'peer: git log --show-signature' "$peer" \
    $(measure : git -C "$signed" -c gpg.ssh.allowedSignersFile="$work/people" log --show-signature)
if command -v sq-git > /dev/null; then
    echo 'sq-git is installed, and is not measured here: it needs a policy and OpenPGP signatures of its own.'
else
    echo 'sq-git is not installed: not measured.'
fi
