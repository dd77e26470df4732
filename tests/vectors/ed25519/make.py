#!/usr/bin/env python3
"""Writes edges.txt and grid.txt: Ed25519 signatures at the edges where verifiers differ, with two verdicts each.

edges.txt has one case for each kind of edge. grid.txt has every pairing of the points that a signature can begin with (the
14 encodings of a point of small order; a point of order L with each of the 8 parts of small order added) as key and as R.

Plain big-integer arithmetic from RFC 8032, section 5.1, sharing nothing with the implementation under test. Run it with
no arguments; the output is always the same.

A line is NAME KEY MESSAGE SIGNATURE LOOSE STRICT (hex, then yes or no). LOOSE says whether [S]B = R + [k]A holds for the
decoded points, whatever their encoding and order and however large S is. STRICT adds: S < L, A and R in their canonical
encodings, neither of small order.
"""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(p, q):
    (x1, y1), (x2, y2) = p, q
    t = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P)


def add_extended(p, q):
    """RFC 8032, section 5.1.4: complete, so it doubles, too."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(n, p):
    out, p = (0, 1, 1, 0), (p[0], p[1], 1, p[0] * p[1] % P)
    while n:
        if n & 1:
            out = add_extended(out, p)
        p, n = add_extended(p, p), n >> 1
    z = pow(out[2], -1, P)
    return (out[0] * z % P, out[1] * z % P)


def encode(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def decode(raw):
    """The point, for any encoding: y is reduced, and a sign bit on x = 0 is passed over."""
    n = int.from_bytes(raw, "little")
    sign, y = n >> 255, (n & (2**255 - 1)) % P
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != xx:
        return None
    return (x if x & 1 == sign else -x % P, y)


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
# A point of order 8: [L] takes the part of order L away from a point.
EIGHT = next(t for t in (times(L, p) for p in map(decode, (bytes([n]) + bytes(31) for n in range(2, 99))) if p)
             if times(4, t) != (0, 1))
TORSION = [times(n, EIGHT) for n in range(8)]


def digest(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def verdicts(key, message, signature):
    a, r, s = decode(key), decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None:
        return False, False
    loose = times(s % L, BASE) == add(r, times(digest(signature[:32], key, message), a))
    canonical = encode(a) == key and encode(r) == signature[:32] and s < L
    return loose, loose and canonical and times(8, a) != (0, 1) and times(8, r) != (0, 1)


def small(n):
    return n.to_bytes(32, "little")


def grind(name, key, r, wanted):
    """A message for which k is what `wanted` asks for."""
    for n in range(10000):
        message = b"%s %d" % (name.encode(), n)
        if wanted(digest(r, key, message)):
            return message
    raise SystemExit("no message for " + name)


def cases():
    a, nonce = digest(b"a secret scalar"), digest(b"a secret nonce")
    point, r_point = times(a, BASE), times(nonce, BASE)
    key, r = encode(point), encode(r_point)

    message = b"plain"
    s = (nonce + digest(r, key, message) * a) % L
    yield "plain", key, message, r + small(s)
    yield "s-plus-l", key, message, r + small(s + L)
    yield "s-largest", key, message, r + small(s + L * ((2**256 - 1 - s) // L))
    yield "other-message", key, b"plane", r + small(s)
    yield "s-zero", key, message, r + small(0)

    # A of small order: "verifies" for anybody who knows no secret.
    for n, torsion in enumerate(TORSION):
        name, weak = f"small-a-{n}", encode(torsion)
        message = grind(name, weak, r, lambda k: times(k % 8, torsion) == (0, 1))
        yield name, weak, message, r + small(nonce)
    # R of small order, by a key with the part of small order that makes the equation hold.
    for n, torsion in enumerate(TORSION):
        name, small_r = f"small-r-{n}", encode(torsion)
        mixed = point if n == 0 else add(point, EIGHT)
        mixed_key = encode(mixed)
        message = grind(name, mixed_key, small_r, lambda k: n == 0 or add(torsion, times(k % 8, EIGHT)) == (0, 1))
        yield name, mixed_key, message, small_r + small(digest(small_r, mixed_key, message) * a % L)
    # The identity as R, spelt otherwise: y = p + 1, and x = 0 with the sign of a negative x.
    for name, odd_r in [("odd-r-y", small(P + 1)), ("odd-r-x", small(1 | 1 << 255)), ("odd-r-both", small(P + 1 | 1 << 255))]:
        message = name.encode()
        yield name, key, message, odd_r + small(digest(odd_r, key, message) * a % L)
    # The identity as A, spelt otherwise.
    for name, odd_a in [("odd-a-y", small(P + 1)), ("odd-a-x", small(1 | 1 << 255)), ("odd-a-both", small(P + 1 | 1 << 255))]:
        yield name, odd_a, name.encode(), r + small(nonce)
    # y = p + 3, a point of large order; nobody knows its secret, so no equation holds.
    yield "odd-a-large", small(P + 3), b"odd-a-large", r + small(nonce)
    # Parts of small order in A, and in both: the equation without cofactor holds, and so does strict.
    mixed = add(point, EIGHT)
    mixed_key = encode(mixed)
    message = grind("mixed-a", mixed_key, r, lambda k: k % 8 == 0)
    yield "mixed-a", mixed_key, message, r + small((nonce + digest(r, mixed_key, message) * a) % L)
    mixed_r = encode(add(r_point, EIGHT))
    message = grind("mixed-both", mixed_key, mixed_r, lambda k: k % 8 == 7)
    yield "mixed-both", mixed_key, message, mixed_r + small((nonce + digest(mixed_r, mixed_key, message) * a) % L)
    # … and in R alone: it holds only where both sides are multiplied by the cofactor.
    message = b"mixed-r"
    yield "mixed-r", key, message, mixed_r + small((nonce + digest(mixed_r, key, message) * a) % L)


# The eight points of small order in every encoding that `decode` takes for one of them.
SMALL = sorted({encode(t) for t in TORSION} | {
    small(y | sign << 255) for y in (0, 1, P - 1, P, P + 1) for sign in (0, 1) if y < 2**255 and decode(small(y | sign << 255)) in TORSION
})


def grid():
    a, nonce = digest(b"a secret scalar"), digest(b"a secret nonce")
    point, r_point = times(a, BASE), times(nonce, BASE)
    keys = [(f"small-{n}", raw, 0) for n, raw in enumerate(SMALL)]
    keys += [(f"mixed-{n}", encode(add(point, t)), a) for n, t in enumerate(TORSION)]
    rs = [(f"small-{n}", raw, 0) for n, raw in enumerate(SMALL)]
    rs += [(f"mixed-{n}", encode(add(r_point, t)), nonce) for n, t in enumerate(TORSION)]
    for key_name, key, secret in keys:
        for r_name, r, part in rs:
            name = f"{key_name}/{r_name}"
            parts = decode(key), decode(r)
            # k decides modulo 8 alone whether the parts of small order go away: one message where they do, if there is one,
            # and one where they do not.
            found = {}
            for n in range(64):
                message = b"%s %d" % (name.encode(), n)
                k = digest(r, key, message)
                s = (part + k * secret) % L
                goes = times(L, add(parts[1], times(k % 8, parts[0]))) == (0, 1)
                found.setdefault(goes, (message, s))
            for goes, (message, s) in sorted(found.items()):
                yield f"{name}/{'goes' if goes else 'stays'}", key, message, r + small(s)


def write(file, cases):
    with open(file, "w") as out:
        out.write("# NAME KEY MESSAGE SIGNATURE LOOSE STRICT; written by make.py\n")
        for name, key, message, signature in cases:
            loose, strict = ("yes" if v else "no" for v in verdicts(key, message, signature))
            out.write(f"{name} {key.hex()} {message.hex()} {signature.hex()} {loose} {strict}\n")


write("edges.txt", cases())
write("grid.txt", grid())
