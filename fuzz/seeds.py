#!/usr/bin/env python3
"""Writes seeds/TARGET/…: what each fuzz target begins with.

Nearly all of it is taken from the tests' vectors (the sample ledger, the C2SP and recording vectors), so that a target
begins with input that goes through to its end; the rest is made by ssh-keygen with the sample's keys. Needs git,
ssh-keygen and Python 3. Run it again after the vectors have changed; certificates and signatures stay the same, because
Ed25519 gives one signature for one text.
"""
import base64, json, pathlib, shutil, struct, subprocess, tempfile

here = pathlib.Path(__file__).resolve().parent
vectors = here.parent / "tests/vectors"
keys = vectors / "sample/keys"
seeds = here / "seeds"
LEDGER = "sha256:d70ae84d0e92ab997a9246788e9092b16411195254d634d5696baef6831a558e"


def put(target, name, data):
    if isinstance(data, str):
        data = data.encode()
    file = seeds / target / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, **options).stdout


def string(data):
    return struct.pack(">I", len(data)) + data


shutil.rmtree(seeds, ignore_errors=True)
with tempfile.TemporaryDirectory() as place:
    place = pathlib.Path(place)
    run("git", "clone", "-q", "-b", "main", vectors / "sample/ledger.bundle", place / "ledger", stderr=subprocess.DEVNULL)
    git = lambda *words: run("git", "-C", place / "ledger", *words)
    ledger = place / "ledger"

    # One event of each kind, its signature, and what an issuance holds.
    seen, certificates = set(), []
    for event in sorted(ledger.glob("ledger/**/*.toml")):
        if "/files/" in str(event):
            put("policy", "second.toml", event.read_bytes())
            continue
        kind = event.name.rsplit("-", 1)[0]
        if kind == "issuance":
            line = next(line for line in event.read_text().splitlines() if line.startswith("certificate = "))
            certificates.append(json.loads(line.split(" = ", 1)[1]))
        if kind in seen:
            continue
        seen.add(kind)
        put("event", f"{kind}.toml", event.read_bytes())
        if kind in ("request", "approval", "issuance"):
            put("signature", f"{kind}.sig", (event.parent / f"{event.name}.sig").read_bytes())
    for name, certificate in zip(("one", "two", "three"), certificates):
        put("certificate", name, certificate)
    put("policy", "sample.toml", (ledger / "policy.toml").read_bytes())
    put("policy", "small.toml", (ledger / "policy.toml").read_text().split("[target")[0])

    # Commits and trees, one of each shape.
    commits = git("rev-list", "HEAD").decode().split()
    for name, commit in zip(("head", "second", "genesis"), (commits[0], commits[-2], commits[-1])):
        put("commit", name, git("cat-file", "commit", commit))
        put("tree", name, git("cat-file", "tree", f"{commit}^{{tree}}"))
    folder = git("rev-parse", "HEAD:ledger/2026/11/23/14").decode().strip()
    put("tree", "folder", git("cat-file", "tree", folder))

    # A pack as the target has it (offsets, entries), in blocks that are stored, and an index.
    some = git("ls-tree", "-r", "--object-only", "HEAD").split()[:3] + git("rev-list", "--objects", "--no-object-names", "-2", "HEAD").split()[:9]
    for way in (), ("--delta-base-offset",):
        name = f"{place}/seed{len(way)}"
        names = b"\n".join(some) + b"\n"
        pack = run("git", "-C", ledger, "-c", "pack.compression=0", "pack-objects", "-q", "--no-reuse-delta", "--no-reuse-object", *way, name, input=names).decode().strip()
        index = pathlib.Path(f"{name}-{pack}.idx").read_bytes()
        offsets = sorted(int(line.split()[0]) for line in run("git", "show-index", input=index).decode().splitlines())
        entries = pathlib.Path(f"{name}-{pack}.pack").read_bytes()[12:-20]
        put("pack", f"entries{len(way)}", bytes([2, len(offsets) - 1]) + struct.pack(f">{len(offsets)}H", *offsets) + entries)
        put("pack", "index", b"\x01" + index)
    put("pack", "difference", b"\0\0\x0aold bytes!\x0a\x0b\x90\x04\x04 new\x90\x03")

    head, size = commits[0], len(commits)
    root = "sha256:" + json.loads((vectors / "sample/expected.json").read_text())["root"].removeprefix("sha256:")
    put("pin", "pin", f'ledger = "{LEDGER}"\nhead = "{head}"\nsize = {size}\nroot = "{root}"\n')

    # A proof of possession, as its holder makes it.
    dave = place / "dave"
    dave.write_bytes((keys / "dave").read_bytes())
    dave.chmod(0o600)
    public = " ".join((keys / "dave.pub").read_text().split()[:2])
    said = f"jit-1 enrolment\nledger {LEDGER}\nname dave\nkey {public}\n"
    signed = run("ssh-keygen", "-Y", "sign", "-q", "-n", "jit-1/enrolment", "-f", dave, input=said.encode())
    put("enrolment", "dave", said.encode() + signed)

    # A revocation list of OpenSSH's own writing, and one that ends as ours do.
    (place / "spec").write_text("serial: 1-9\nserial: 11\nserial: 4711\nserial: 13-200\nid: jit:none\n")
    run("ssh-keygen", "-k", "-q", "-f", place / "krl", "-s", keys / "ca-prod.pub", place / "spec")
    openssh = (place / "krl").read_bytes()
    # When it was made is the only thing in it that changes.
    put("krl", "openssh", openssh[:20] + struct.pack(">Q", 1795442400) + openssh[28:])
    ca = string(base64.b64decode((keys / "ca-prod.pub").read_text().split()[1]))
    section = lambda kind, body: bytes([kind]) + string(body)
    body = ca + string(b"") + section(0x20, struct.pack(">QQ", 3, 5)) + section(0x21, struct.pack(">QQ", 7, 90))
    body += section(0x22, struct.pack(">Q", 200) + string(b"\x05\x01"))
    closing = string(b"") + string(b"") + section(0x23, string(b"jit:none"))
    krl = b"SSHKRL\n\0" + struct.pack(">IQQQ", 1, 7, 1795442400, 0) + string(b"") + string(b"jit")
    put("krl", "ours", krl + section(1, body) + section(1, closing))

for name in ("alice", "recorder"):
    line = " ".join((keys / f"{name}.pub").read_text().split()[:2])
    put("public_key", f"{name}.line", line)
    put("public_key", f"{name}.blob", base64.b64decode(line.split()[1]))
point = base64.b64decode((keys / "alice.pub").read_text().split()[1])[-32:]
sk = string(b"sk-ssh-ed25519@openssh.com") + string(point) + string(b"ssh:")
put("public_key", "hardware.blob", sk)
put("public_key", "hardware.line", b"sk-ssh-ed25519@openssh.com " + base64.b64encode(sk))

# Notes, submissions and proofs around the signed checkpoints.
parts = (vectors / "c2sp/signed.txt").read_text().split("====\n")
for number, note in enumerate(parts[1:]):
    put("note", f"checkpoint-{number}", note)
    put("submission", f"from-nothing-{number}", f"old 0\n\n{note}")
    hashes = "".join(base64.b64encode(bytes([at]) * 32).decode() + "\n" for at in range(3))
    put("submission", f"grown-{number}", f"old 7\n{hashes}\n{note}")
    put("proof", f"proof-{number}", f"c2sp.org/tlog-proof@v1\nextra aGVsbG8=\nindex 7\n{hashes}\n{note}")
for number, key in enumerate(parts[0].splitlines()):
    put("note", f"key-{number}", key)
put("note", "lines", parts[1].split("\n\n", 1)[1])

# Recordings: the file, its parts, and what is inside its frames.
recording = (vectors / "recording/sample.jitrec").read_bytes()
put("recording", "sample", recording)
put("recording", "header", recording[:207])
put("recording", "head", recording[207:267])
length = struct.unpack(">I", recording[263:267])[0]
put("sealed", "frame", recording[267:267 + length])
shell = '{"version":2,"width":100,"height":30,"timestamp":1795442400,"env":{"TERM":"xterm"},"channel":1,"tty":true,"at":0}\n'
lines = '[0.1,"o","$ "]\n[0.5,"i","l"]\n[1.9,"r","120x40"]\n{"channel":7}\n[2,"m","bytes"]\n{"channel":7,"closed":1,"exit":0}\n'
put("chunk", "lines", shell + lines)
put("screen", "shell", "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[?1049h\x1b[2J\x1b[1;5r\x1b(0lqk\x1b(B\r\n\x1bP1$qm\x1b\\\x1b[6n\t\x9b5m")
put("screen", "curses", "\x1b[?1h\x1b=\x1b[?25l\x1b[H\x1b[K\x1b[4h\x1b[?7l\x1b7\x1b8\x1bM\x1b[10;20H\x1b[38;5;200m\x1b[!p\x1b[>c")

# Small texts.
for name, text in {
    "digest": LEDGER, "commit": "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", "name": "payments-db",
    "role": "payments-db/read-only", "nonce": "6vbj325lkwnlgo6tbcbeuswhja", "time": "2026-11-23T14:05:09Z",
    "span": "30m", "scope": "target:payments-db", "kind": "session-start", "udp": "syslog+udp://[::1]:514",
    "tls": "syslog+tls://log.acme.example", "https": "https://log.acme.example:8443/in?x=1", "file": "/var/log/jit.jsonl",
}.items():
    put("names", name, text)
put("http", "get", "GET /jit/checkpoint?x HTTP/1.1\r\nHost: witness\r\nConnection: close\r\n\r\n")
put("http", "post", "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nold 0")
blob = (seeds / "public_key/alice.blob").read_bytes()
put("agent", "keys", b"\x0c" + struct.pack(">I", 2) + string(blob) + string(b"alice") + string(sk) + string(b"key"))
put("agent", "signature", b"\x0e" + string(string(b"ssh-ed25519") + string(bytes(64))))
put("agent", "hardware", b"\x0e" + string(string(b"sk-ssh-ed25519@openssh.com") + string(bytes(64)) + b"\x05\0\0\0\x09"))

# What the parts of a host write.
nonce, case = "mfrggzdfmztwq2lkobqxg43xn4", LEDGER
recorder = " ".join((keys / "recorder.pub").read_text().split()[:2])
write = lambda name, value: put("host_files", name, json.dumps(value, separators=(",", ":")))
write("start", {"ask": "session-start", "case": case, "session": nonce, "serial": 7, "login": "readonly", "source": "10.0.0.1", "recorded": True})
write("end", {"ask": "session-end", "case": case, "session": nonce, "cause": "exit", "exit_code": 0, "recording": case, "bytes": 9})
write("residue", {"ask": "residue", "case": case, "session": nonce, "items": [{"probe": "processes", "result": "clear", "detail": ""}]})
write("answer", {"answer": "refused", "why": "A08"})
write("hello", {"say": "hello", "version": 1, "term": "xterm", "command": None})
write("ready", {"say": "ready", "channel": 1})
write("recorded", {"head": case, "bytes": 9, "exit_code": 0, "whole": True})
write("session", {
    "session": nonce, "case": case, "requester": "alice", "environment": "prod", "serial": 7, "certificate": case,
    "roles": ["payments-db/read-only"], "login": "readonly", "uid": 1000, "source": "10.0.0.1",
    "started": "2026-11-23T14:05:09Z", "ends": "2026-11-23T14:35:09Z", "cgroup": "/sys/fs/cgroup/jit/x",
    "monitor": {"pid": 7, "started": 9}, "standing": "open", "recorder": None, "recording": None,
    "recorders": [recorder], "reason": "stuck queue", "ticket": "INC-4711"})
write("grants", {
    "host": "db1", "ledger": case, "head": "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", "size": 41, "root": case,
    "checked": "2026-11-23T14:05:09Z", "staleness": "10m", "clock_skew": "2m", "logins": ["readonly"],
    "grants": [], "open": [], "probes": [{"target": "payments-db", "name": "processes", "what": "processes", "timeout": 10}]})
put("host_files", "config.toml", f'host = "db1"\nledger = "{case}"\nremote = "git@forge:acme/production"\ninterval = "1s"\nprobe_commands = false\n')

# Trees as instructions (see the target): random, but always the same.
state = 1
for number in range(4):
    data = bytearray()
    while len(data) < 200:
        state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        data += (state >> 33).to_bytes(4, "big")
    put("tree_changes", str(number), bytes(data))
