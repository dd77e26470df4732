"""Writes signed.txt: a checkpoint and a cosignature by an implementation of C2SP that is not ours.

    python3.12 -m venv v && v/bin/pip install aics-tlog==0.2.1 && v/bin/python make.py > signed.txt
"""
import hashlib

import aics_tlog.checkpoint as checkpoint
import aics_tlog.cosign as cosign
import aics_tlog.note as note
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

log = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
witness = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
origin, name = "jit/4oymiquy7qobjgx3", "witness.example/w1"
root = hashlib.sha256(b"root").digest()

print(note.format_vkey(note.vkey_from_ed25519(origin, log.public_key())))
print(note.format_vkey(cosign.cosignature_vkey(name, witness.public_key())))
for lines in [], ["an extension line"]:
    plain = checkpoint.Checkpoint(origin=origin, size=41, root=root, extension_lines=lines)
    signed = checkpoint.sign_checkpoint(plain, log, origin)
    _, line = cosign.sign_cosignature(witness, name, 1679315147, origin, 41, root, lines)
    blob = note.b64_encode(line.key_id + line.signature)
    print("====")
    print(signed.serialise() + f"— {name} {blob}")
