"""Counts a ledger without jit: the event files of Git, Python's TOML, CSV and SHA-256, and nothing else.

count.py events LEDGER           every event in the log's order, as JSON (what a void commit added is left out)
count.py csv FILE                a CSV file as Python's csv module reads it, as JSON
count.py draw LEDGER SEED        the access cases in the order of SHA-256(seed, LF, case)
count.py packets DIR ROOT SIZE   demands that every event of the packets is in the log with that root
"""

import base64
import csv
import hashlib
import json
import pathlib
import subprocess
import sys
import tomllib


def git(ledger, *arguments):
    return subprocess.run(["git", "-C", ledger, *arguments], check=True, stdout=subprocess.PIPE).stdout


def sha(data):
    return hashlib.sha256(data).digest()


def short(digest):
    return base64.b32encode(digest)[:16].decode().lower()


def events(ledger, voids):
    found = []
    commits = git(ledger, "rev-list", "--reverse", "main").decode().split()
    for position, commit in enumerate(commits):
        if commit in voids:
            continue
        names = git(ledger, "diff-tree", "--root", "-r", "--no-commit-id", "--name-only", commit).decode().split("\n")
        names = [n for n in names if n.startswith("ledger/") and "/files/" not in n and n.endswith(".toml")]
        assert len(names) == 1, names
        body = git(ledger, "show", f"{commit}:{names[0]}")
        signature = git(ledger, "show", f"{commit}:{names[0]}.sig")
        event = tomllib.loads(body.decode())
        event["time"] = event["time"].strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = sha(body)
        case = bytes.fromhex(event["case"][7:]) if "case" in event else digest
        leaf = sha(b"\0\1" + digest + sha(signature)).hex()
        about = event.get(event["kind"], {})
        found.append({"position": position, "commit": commit, "kind": event["kind"], "actor": event["actor"],
                      "time": event["time"], "case": case.hex(), "id": short(case), "event": digest.hex(), "leaf": leaf,
                      "incident": about.get("incident"), "reason": about.get("business_need") or about.get("reason")})
    return found


def draw(ledger, voids, seed):
    cases = {e["case"] for e in events(ledger, voids) if e["kind"] == "request"}
    return sorted(cases, key=lambda case: sha(f"{seed}\n{case}".encode()))


def included(leaf, index, size, path, root):
    """RFC 9162, section 2.1.3.2."""
    assert index < size
    fn, sn, r = index, size - 1, leaf
    for p in path:
        assert sn != 0
        if fn & 1 or fn == sn:
            r = sha(b"\1" + p + r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha(b"\1" + r + p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def packets(directory, root, size):
    count = 0
    for packet in sorted(pathlib.Path(directory).glob("*/packet.json")):
        for item in json.loads(packet.read_text())["items"]:
            body = (packet.parent / item["file"]).read_bytes()
            signature = (packet.parent / item["signature_file"]).read_bytes()
            leaf = sha(b"\0\1" + sha(body) + sha(signature))
            assert leaf.hex() == item["leaf"]
            path = [bytes.fromhex(hash) for hash in item["proof"]]
            assert included(leaf, item["position"], size, path, root), item["file"]
            count += 1
    return count


def main():
    what, *rest = sys.argv[1:]
    if what == "events":
        told = events(rest[0], rest[1:])
    elif what == "csv":
        with open(rest[0], newline="", encoding="utf-8") as file:
            told = list(csv.DictReader(file, strict=True))
    elif what == "draw":
        told = draw(rest[0], rest[2:], rest[1])
    elif what == "packets":
        told = packets(rest[0], bytes.fromhex(rest[1]), int(rest[2]))
    else:
        sys.exit(__doc__)
    print(json.dumps(told))


main()
