#!/usr/bin/env python3
"""Writes sample.jitrec and expected.json: a recording made from docs/format.md ("Recordings") alone.

Needs Python 3 and the program `age`. It shares nothing with the implementation under test. What `age` seals is different
each time, so the two files are made together and kept.
"""
import hashlib, json, pathlib, struct, subprocess

here = pathlib.Path(__file__).parent
recipients = [here.parent / "sample/keys" / f"{name}.pub" for name in ("recorder", "rita")]
sha = lambda data: hashlib.sha256(data).digest()

ledger, case = "sha256:" + sha(b"a ledger").hex(), "sha256:" + sha(b"a case").hex()
session = "mfrggzdfmztwq2lkobqxg43xn4"
began = 1795442400  # 2026-11-23T14:00:00Z

out = f"jit-recording 1\nledger {ledger}\ncase {case}\nsession {session}\n".encode()
assert len(out) == 207

shell = {"version": 2, "width": 100, "height": 30, "timestamp": began, "env": {"TERM": "xterm-256color"},
         "channel": 1, "tty": True, "at": 0}
copy = {"version": 2, "width": 80, "height": 24, "timestamp": began + 1, "command": "scp -f /var/log/queue",
        "channel": 7, "tty": False, "at": 1.25}
chunks = [
    [shell, [0.1, "o", "$ "], [0.5, "i", "l"], [0.501, "o", "l"], copy, [0, "o", "D0755 0 queue\n"]],
    [{"channel": 1}, [1.9, "r", "120x40"], [2, "o", "\u001b[31m決済\u001b[0m \"quoted\" \\ \r\n"],
     {"channel": 7}, [0.75, "m", "12 bytes in, 4711 bytes out"], {"channel": 7, "closed": 1, "exit": 0},
     {"channel": 1}, [2.5, "o", "$ "]],
    [],
    [{"channel": 1, "closed": 3.141}],
]

previous = sha(out)
for number, chunk in enumerate(chunks):
    text = "".join(json.dumps(line, ensure_ascii=number % 2 == 0) + "\n" for line in chunk).encode()
    age = ["age", "--encrypt"] + [word for key in recipients for word in ("--recipients-file", str(key))]
    sealed = subprocess.run(age, input=text, stdout=subprocess.PIPE, check=True).stdout
    last = number == len(chunks) - 1
    frame = struct.pack(">4sIQQ32sI", b"jitf", last, number, began * 1000 + 1000 * number, previous, len(sealed)) + sealed
    previous = sha(frame)
    out += frame + previous

(here / "sample.jitrec").write_bytes(out)
told = {"ledger": ledger, "case": case, "session": session, "head": "sha256:" + previous.hex(), "bytes": len(out),
        "frames": len(chunks), "output": {"1": "$ l\u001b[31m決済\u001b[0m \"quoted\" \\ \r\n$ ", "7": "D0755 0 queue\n"}}
(here / "expected.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
