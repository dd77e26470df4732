"""Checks the signature of a webhook by Python's own hmac. Usage: check.py SECRET-FILE TAKEN. Each request in TAKEN must carry it."""
import hashlib, hmac, json, sys

secret = open(sys.argv[1], "rb").read().rstrip(b"\r\n")
count = 0
for line in open(sys.argv[2]):
    taken = json.loads(line)
    headers = taken["headers"]
    message = headers["jit-timestamp"].encode() + b"." + taken["body"].encode()
    expected = "v1=" + hmac.new(secret, message, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(expected, headers["jit-signature"]), (expected, headers["jit-signature"])
    assert json.loads(taken["body"])["id"] == headers["jit-notice-id"]
    count += 1
print(count)
