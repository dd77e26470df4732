// What is checked, and how: nothing here touches the page's surface. What cannot be read throws; a doubt is never taken
// for a yes.
// Sources: docs/format.md, sections 2 to 4; OpenSSH PROTOCOL.sshsig and PROTOCOL.u2f; RFC 6962, section 2.1; C2SP
// signed-note, tlog-checkpoint and tlog-cosignature.

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

function bytesOf(base64) {
  const text = atob(base64);
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

function base64Of(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function hexOf(bytes) {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

function bytesOfHex(hex) {
  const out = new Uint8Array(hex.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}

function joined(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function sameBytes(left, right) {
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

async function sha256(bytes) {
  return bytes.length <= SHORT ? shortSha256(bytes) : new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

async function sha512(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-512', bytes));
}

// SHA-256 of short inputs (FIPS 180-4, section 6.2), here and not by WebCrypto: a log has millions of tree nodes of 65
// bytes, and to ask the browser for each takes twenty times as long. whyNot() holds it against the browser's own first.
const SHORT = 256;
const ROUNDS = Uint32Array.from([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
  0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const schedule = new Uint32Array(64);

function shortSha256(bytes) {
  const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, bytes.length * 8);
  const hash = Uint32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let block = 0; block < padded.length; block += 64) {
    for (let i = 0; i < 16; i++) schedule[i] = view.getUint32(block + 4 * i);
    for (let i = 16; i < 64; i++) {
      const [x, y] = [schedule[i - 15], schedule[i - 2]];
      schedule[i] = schedule[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + schedule[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[i] + schedule[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => { hash[i] += word; });
  }
  const out = new Uint8Array(32);
  hash.forEach((word, i) => new DataView(out.buffer).setUint32(4 * i, word));
  return out;
}

// The 16 characters by which people name an event: base32 of the digest's first ten bytes.
function shortOf(digest) {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  let bits = 0;
  let held = 0;
  let out = '';
  for (const byte of digest.slice(0, 10)) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += alphabet[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return out;
}

// ---- Ed25519 -------------------------------------------------------------------------------------------------------

const importedKeys = new Map();

function ed25519Key(point) {
  const name = hexOf(point);
  if (!importedKeys.has(name)) {
    importedKeys.set(name, crypto.subtle.importKey('raw', point, { name: 'Ed25519' }, false, ['verify']));
  }
  return importedKeys.get(name);
}

// RFC 8032: S below the group's order, little-endian. A signature has one spelling.
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

function isCanonical(signature) {
  const little = BigInt('0x' + hexOf(signature.slice(32).reverse()));
  return signature.length === 64 && little < ORDER;
}

async function ed25519Verifies(point, signature, message) {
  if (!isCanonical(signature)) return false;
  return crypto.subtle.verify({ name: 'Ed25519' }, await ed25519Key(point), signature, message);
}

// Whether this browser can check at all, shown by a signature that holds (RFC 8032, section 7.1, test 2) and the same
// with one bit changed: a browser that takes both is not asked any further.
async function whyNot() {
  if (typeof crypto === 'undefined' || !crypto.subtle) {
    return 'This browser gives no cryptography to a page that was opened in this way (crypto.subtle is missing).';
  }
  const point = bytesOfHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
  const good = bytesOfHex(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00');
  const bad = good.slice();
  bad[40] ^= 1;
  try {
    const message = bytesOfHex('72');
    if (!(await ed25519Verifies(point, good, message)) || (await ed25519Verifies(point, bad, message))) {
      return 'This browser’s Ed25519 failed a test with a known signature.';
    }
    // Every length around the ends of blocks, and one known value (FIPS 180-2, "abc").
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    let same = hexOf(shortSha256(encoder.encode('abc'))) === abc;
    for (let length = 0; length <= SHORT; length++) {
      const input = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
      same &&= sameBytes(shortSha256(input), new Uint8Array(await crypto.subtle.digest('SHA-256', input)));
    }
    if (!same) return 'This browser’s SHA-256 failed a test with known values.';
  } catch (error) {
    return 'This browser does not have Ed25519 in WebCrypto (Chrome and Edge have it from version 137, Firefox from 129, Safari from 17).';
  }
  return null;
}

// ---- SSHSIG --------------------------------------------------------------------------------------------------------

// Reads SSH's wire form; throws where it ends too early.
class Wire {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  take(count) {
    if (this.at + count > this.bytes.length) throw new RangeError('it ends too early');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  u32() {
    const b = this.take(4);
    return ((b[0] << 24) | (b[1] << 16) | (b[2] << 8) | b[3]) >>> 0;
  }
  string() {
    return this.take(this.u32());
  }
  text() {
    return decoder.decode(this.string());
  }
  end() {
    if (this.at !== this.bytes.length) throw new RangeError('bytes follow its end');
  }
}

function sshString(bytes) {
  const n = bytes.length;
  return joined(new Uint8Array([n >>> 24, n >>> 16, n >>> 8, n]), bytes);
}

// `ssh-ed25519 AAAA…` → kind and point.
function parseKey(blob) {
  const wire = new Wire(blob);
  const kind = wire.text();
  const point = wire.string();
  if (kind === 'sk-ssh-ed25519@openssh.com') {
    const application = wire.string();
    wire.end();
    return { kind, point, application, hardware: true };
  }
  wire.end();
  if (kind !== 'ssh-ed25519' || point.length !== 32) throw new RangeError(`a key of type ${kind}`);
  return { kind, point, hardware: false };
}

// The signature file as the ledger has it: the page carries its base64 alone, and the armor has one spelling.
function armored(base64) {
  const lines = base64.match(/.{1,70}/g) || [];
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`;
}

function parseSshSig(base64) {
  const wire = new Wire(bytesOf(base64));
  if (decoder.decode(wire.take(6)) !== 'SSHSIG' || wire.u32() !== 1) throw new RangeError('it is no SSHSIG, version 1');
  const keyBlob = wire.string();
  const namespace = wire.text();
  const reserved = wire.string();
  const hash = wire.text();
  const signature = new Wire(wire.string());
  wire.end();
  const key = parseKey(keyBlob);
  if (reserved.length !== 0 || hash !== 'sha512' || signature.text() !== key.kind) {
    throw new RangeError('its reserved field, hash or type is not what a ledger takes');
  }
  const raw = signature.string();
  const flags = key.hardware ? signature.take(5) : null;
  signature.end();
  return { keyText: `${key.kind} ${base64Of(keyBlob)}`, keyBlob, key, namespace, raw, flags };
}

// Whether the signature is the key's over these bytes. PROTOCOL.sshsig; for hardware keys PROTOCOL.u2f.
async function sshSigVerifies(sig, message) {
  let signed = joined(
    encoder.encode('SSHSIG'), sshString(encoder.encode(sig.namespace)), sshString(new Uint8Array()),
    sshString(encoder.encode('sha512')), sshString(await sha512(message)));
  if (sig.key.hardware) {
    signed = joined(await sha256(sig.key.application), sig.flags, await sha256(signed));
  }
  return ed25519Verifies(sig.key.point, sig.raw, signed);
}

const fingerprints = new Map();

async function fingerprint({ keyText, keyBlob }) {
  if (!fingerprints.has(keyText)) fingerprints.set(keyText, 'SHA256:' + base64Of(await sha256(keyBlob)).replace(/=+$/, ''));
  return fingerprints.get(keyText);
}

// ---- allowed_signers -----------------------------------------------------------------------------------------------

// `actor namespaces="a,b" type base64` a line (docs/format.md, section 3) → "actor type base64" → namespaces.
function parseAllowedSigners(text) {
  const allowed = new Map();
  for (const line of text.split('\n')) {
    const found = /^([a-z0-9][a-z0-9._-]*) namespaces="([^"]*)" (\S+ \S+)$/.exec(line);
    if (found) allowed.set(`${found[1]} ${found[3]}`, found[2].split(','));
  }
  return allowed;
}

function maySign(allowed, actor, keyText, namespace) {
  const namespaces = allowed.get(`${actor} ${keyText}`);
  return namespaces !== undefined && namespaces.some((one) => one === namespace || (one === 'jit-1/*' && namespace.startsWith('jit-1/')));
}

// ---- the tree ------------------------------------------------------------------------------------------------------

// From the SHA-256 of the event file and the signature file's bytes.
async function leafHash(event, signature) {
  return sha256(joined(new Uint8Array([0, 1]), event, await sha256(signature)));
}

async function voidLeafHash(raw) {
  return sha256(joined(new Uint8Array([0, 2]), await sha256(raw)));
}

// A tree of which leaves and complete subtrees are known, each by its first position and level (2^level leaves).
class Tree {
  constructor(nodes, size) {
    this.size = size;
    this.levels = [];
    for (const [position, level, base64] of nodes) this.put(level, position / 2 ** level, bytesOf(base64));
  }
  put(level, index, hash) {
    while (this.levels.length <= level) this.levels.push(new Map());
    this.levels[level].set(index, hash);
  }
  leaf(position) {
    return this.levels[0]?.get(position);
  }
  // Makes every subtree whose two halves are known.
  async grow(told) {
    for (let level = 0; level < this.levels.length && level < 52; level++) {
      let made = 0;
      for (const [index, left] of this.levels[level]) {
        const right = index % 2 === 0 ? this.levels[level].get(index + 1) : undefined;
        if (!right) continue;
        const hash = this.node(left, right);
        const given = this.levels[level + 1]?.get(index / 2);
        if (given && !sameBytes(given, hash)) throw new RangeError('the tree contradicts itself');
        this.put(level + 1, index / 2, hash);
        if (++made % 1000 === 0) await told?.();
      }
    }
  }
  node(left, right) {
    return shortSha256(joined(new Uint8Array([1]), left, right));
  }
  // The root at a size; null where it does not follow from what is known.
  rootAt(size) {
    if (size > this.size) return null;
    if (size === 0) return shortSha256(new Uint8Array());
    let end = size;
    let left = size;
    let root = null;
    while (left !== 0) {
      let level = 0;
      while (Math.floor(left / 2 ** level) % 2 === 0) level++;
      const width = 2 ** level;
      end -= width;
      left -= width;
      const subtree = this.levels[level]?.get(end / width);
      if (!subtree) return null;
      root = root === null ? subtree : this.node(subtree, root);
    }
    return root;
  }
}

// ---- checkpoints ---------------------------------------------------------------------------------------------------

function parseCheckpoint(text) {
  const cut = text.indexOf('\n\n');
  if (cut < 0) throw new RangeError('it is no signed note');
  const body = text.slice(0, cut + 1);
  const [origin, size, root] = body.split('\n');
  const signatures = text.slice(cut + 2).split('\n').filter((line) => line !== '').map((line) => {
    const found = /^— (\S+) ([A-Za-z0-9+/=]+)$/.exec(line);
    if (!found) throw new RangeError('a signature line of the note is malformed');
    const bytes = bytesOf(found[2]);
    return { name: found[1], id: bytes.slice(0, 4), bytes: bytes.slice(4) };
  });
  if (!/^(0|[1-9][0-9]*)$/.test(size)) throw new RangeError('its size is no number');
  return { body, origin, size: Number(size), root: bytesOf(root), signatures };
}

// The id of a key in a signed note: SHA-256 of name, LF, type and point; four bytes.
async function noteKeyId(name, type, point) {
  return (await sha256(joined(encoder.encode(name + '\n'), new Uint8Array([type]), point))).slice(0, 4);
}

// Whether the log key signed the note; and how many of `witnesses` (each `{name, point}`) cosigned it, with their times.
async function checkCheckpoint(note, logPoint, witnesses) {
  let signed = false;
  const id = await noteKeyId(note.origin, 1, logPoint);
  const cosigned = [];
  for (const signature of note.signatures) {
    if (signature.name === note.origin && sameBytes(signature.id, id) && signature.bytes.length === 64) {
      signed ||= await ed25519Verifies(logPoint, signature.bytes, encoder.encode(note.body));
    }
    for (const witness of witnesses) {
      if (signature.name !== witness.name || signature.bytes.length !== 72) continue;
      if (!sameBytes(signature.id, await noteKeyId(witness.name, 4, witness.point))) continue;
      const time = Number(new DataView(signature.bytes.buffer, signature.bytes.byteOffset).getBigUint64(0));
      const message = encoder.encode(`cosignature/v1\ntime ${time}\n${note.body}`);
      if (await ed25519Verifies(witness.point, signature.bytes.slice(8), message)) cosigned.push({ name: witness.name, time });
    }
  }
  return { signed, cosigned };
}
