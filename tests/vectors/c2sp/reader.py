"""Reads a log from its tiles alone, written from c2sp.org/tlog-tiles and RFC 6962: recomputes the root from the hashes and
from the entries, and makes and checks an inclusion proof.

    python3 reader.py DIR [INDEX]
"""
import base64
import hashlib
import json
import os
import sys

directory, index = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0


def leaf(data):
    return hashlib.sha256(b"\x00" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


lines = open(f"{directory}/checkpoint", encoding="utf-8").read().split("\n")
origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)


def path(level, n, width):
    elements = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        elements.insert(0, f"x{n % 1000:03}")
    partial = f".p/{width}" if width < 256 else ""
    return f"{directory}/tile/{level}/{'/'.join(elements)}{partial}"


def tile(level, n):
    # "The partial tile at level l for a tree of size s has floor(s / 256**l) mod 256 entries."
    count = size // 256**level
    width = 256 if (n + 1) * 256 <= count else count % 256
    data = open(path(level, n, width), "rb").read()
    assert len(data) == 32 * width, (level, n, len(data))
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def merge(hashes):
    """MTH over hashes of which each stands for a subtree of one size."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node(merge(hashes[:split]), merge(hashes[split:]))


def subtree(height, n):
    """The hash of the complete subtree of 2**height leaves at n."""
    level, within = divmod(height, 8)
    first = n << within
    hashes = tile(level, first // 256)
    return merge(hashes[first % 256 : first % 256 + (1 << within)])


def mth(start, end):
    """MTH(D[start:end]), start a multiple of the power of two that end - start fills."""
    count = end - start
    if count & count - 1 == 0:
        height = count.bit_length() - 1
        return subtree(height, start >> height)
    split = 1 << (count - 1).bit_length() - 1
    return node(mth(start, start + split), mth(start + split, end))


def proof(m, start, end):
    if end - start == 1:
        return []
    split = 1 << (end - start - 1).bit_length() - 1
    if m < split:
        return proof(m, start, start + split) + [mth(start + split, end)]
    return proof(m - split, start + split, end) + [mth(start, start + split)]


def verify(value, at, path):
    """RFC 9162, section 2.1.3.2."""
    fn, sn, value = at, size - 1, value
    for sibling in path:
        assert sn != 0
        if fn & 1 or fn == sn:
            value = node(sibling, value)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node(value, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and value == root


entries = []
for n in range((size + 255) // 256):
    width = min(size - n * 256, 256)
    data = open(path("entries", n, width), "rb").read()
    bundle = []
    while data:
        length = int.from_bytes(data[:2], "big")
        assert len(data) >= 2 + length
        bundle.append(data[2 : 2 + length])
        data = data[2 + length :]
    assert len(bundle) == width
    # "Each entry in a bundle hashes to the corresponding entry in the corresponding level 0 Merkle Tree tile."
    assert [leaf(entry) for entry in bundle] == tile(0, n), n
    entries += bundle

path_up = proof(index, 0, size)
print(
    json.dumps(
        {
            "origin": origin,
            "size": size,
            "root": mth(0, size) == root,
            "entries": len(entries),
            "lengths": sorted({len(entry) for entry in entries}),
            "included": verify(leaf(entries[index]), index, path_up),
            "proof": [base64.b64encode(value).decode() for value in path_up],
            "levels": sorted(os.listdir(f"{directory}/tile")),
        }
    )
)
