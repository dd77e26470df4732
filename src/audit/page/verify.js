// The whole check, in order: what the browser can, the policies, the tree, each event, each case, the checkpoint. Results
// are kept with what they are about; nothing is good before it was computed here.

// Every part is 'open', 'good', 'bad', or 'cannot'.
function newReport() {
  const part = () => ({ state: 'open', say: [] });
  return {
    state: 'open', why: null, done: 0,
    policies: part(), tree: part(), events: part(), voids: part(), checkpoint: part(), whole: part(),
    root: null, seenChecked: 0, newestSeen: 0,
  };
}

function settle(part, good, say) {
  part.state = good && part.state !== 'bad' ? 'good' : 'bad';
  if (say) part.say.push(say);
}

async function checkEvidence(evidence, report, tell) {
  report.why = await whyNot();
  if (report.why !== null) {
    report.state = 'cannot';
    await tell();
    return;
  }
  const { data } = evidence;
  const tree = await checkTree(data, report, tell);
  await checkPolicies(evidence, report, tree);
  await checkVoids(data, report, tree);
  await checkEvents(evidence, report, tree, tell);
  for (const one of evidence.cases) settleCase(one, report);
  await checkNote(data, report, tree);
  checkWhole(evidence, report);
  const parts = [report.policies, report.tree, report.events, report.voids, report.checkpoint, report.whole];
  const all = evidence.cases.every((one) => one.check === 'good');
  if (parts.every((part) => part.state === 'good' || part.state === 'none') && all) report.state = 'good';
  else report.state = parts.some((part) => part.state === 'bad') || !all ? 'bad' : 'part';
  await tell();
}

async function checkTree(data, report, tell) {
  try {
    const tree = new Tree(data.tree, data.ledger.size);
    await tree.grow(tell);
    const root = tree.rootAt(data.ledger.size);
    if (root === null) {
      settle(report.tree, false, 'The tree has a hole: its root cannot be computed.');
    } else {
      report.root = 'sha256:' + hexOf(root);
      const same = report.root === data.ledger.root;
      settle(report.tree, same, same ? null : `The root is ${report.root}, not the one that is claimed.`);
    }
    return tree;
  } catch (error) {
    settle(report.tree, false, `The tree cannot be read: ${error.message}.`);
    return new Tree([], 0);
  }
}

// policy.toml and allowed_signers of each version are what the signed manifest of the genesis or proposal names.
async function checkPolicies({ data, events }, report) {
  report.policies.state = 'good';
  for (const policy of data.policies) {
    policy.allowed = parseAllowedSigners(policy.allowed_signers);
    policy.good = true;
    const brought = events.get(policy.brought);
    const parsed = brought ? said(brought) : null;
    const files = parsed?.[parsed.kind]?.file ?? [];
    for (const [path, text] of [['policy.toml', policy.policy], ['allowed_signers', policy.allowed_signers]]) {
      const digest = 'sha256:' + hexOf(await sha256(encoder.encode(text)));
      if (path === 'policy.toml') policy.digest = digest;
      if (!files.some((file) => file.path === path && file.sha256 === digest)) {
        policy.good = false;
        settle(report.policies, false, `${path} of version ${policy.version} is not the one that entry ${policy.brought} names.`);
      }
    }
    const enacted = policy.from === 0 ? parsed : said(events.get(policy.from - 1) ?? { parsed: null });
    const proposes = parsed?.kind === 'genesis' ? policy.from === 0
      : enacted?.kind === 'enactment' && enacted.case === 'sha256:' + brought?.of?.id && parsed?.proposal?.version === policy.version;
    if (!proposes) {
      policy.good = false;
      settle(report.policies, false, `No enactment among the entries puts version ${policy.version} in force at ${policy.from}.`);
    }
  }
  if (data.policies.length === 0) settle(report.policies, false, 'There is no policy: nobody’s key can be judged.');
}

async function checkVoids(data, report, tree) {
  report.voids.state = data.voids.length === 0 ? 'none' : 'good';
  for (const one of data.voids) {
    const leaf = tree.leaf(one.position);
    const same = leaf !== undefined && sameBytes(leaf, await voidLeafHash(bytesOf(one.raw)));
    if (!same) settle(report.voids, false, `Void commit ${one.commit} is not the leaf at ${one.position}.`);
  }
}

const BATCH = 128;

async function checkEvents(evidence, report, tree, tell) {
  const all = [...evidence.events.values()];
  const genesis = evidence.data.ledger.id;
  const roots = new Map();
  const rootAt = (size) => {
    if (!roots.has(size)) roots.set(size, tree.rootAt(size));
    return roots.get(size);
  };
  for (let at = 0; at < all.length; at += BATCH) {
    const some = all.slice(at, at + BATCH);
    await Promise.all(some.map((event) => checkEvent(event, evidence.data, genesis, tree, rootAt)));
    report.done = Math.min(at + BATCH, all.length);
    await tell();
  }
  for (const event of all) {
    if (event.check.seen !== true) continue;
    report.seenChecked += 1;
    report.newestSeen = Math.max(report.newestSeen, said(event).seen.size);
  }
  const bad = all.filter((event) => !event.check.good);
  settle(report.events, bad.length === 0, bad.length === 0 ? null
    : `Wrong: ${bad.slice(0, 20).map((event) => `entry ${event.position}`).join(', ')}${bad.length > 20 ? ' and more' : ''}.`);
}

// One event. Each field: true, false, or null where what is carried does not let it be known.
async function checkEvent(event, data, genesis, tree, rootAt) {
  const check = { signature: false, key: false, place: false, leaf: false, seen: null, good: false, why: [] };
  event.check = check;
  const bytes = encoder.encode(event.text);
  const parsed = said(event);
  let armor;
  try {
    armor = encoder.encode(armored(event.signature));
    const sig = parseSshSig(event.signature);
    check.flags = sig.flags?.[0];
    check.keyKind = sig.key.kind;
    check.fingerprint = await fingerprint(sig);
    check.signature = await sshSigVerifies(sig, bytes);
    if (!check.signature) check.why.push('The signature is not one over these bytes.');
    const policy = policyAt(data.policies, event.position);
    check.policy = policy?.version;
    const namespace = `jit-1/${parsed?.kind}`;
    const touched = !sig.key.hardware ||
      ((sig.flags[0] & 1) === 1 && sameBytes(sig.key.application, encoder.encode('ssh:')));
    check.key = sig.namespace === namespace && touched && policy !== null &&
      maySign(policy.allowed, parsed?.actor, sig.keyText, namespace);
    if (!check.key) check.why.push(`This key may not sign a ${parsed?.kind ?? '?'} as ${parsed?.actor ?? '?'}.`);
    else if (!policy.good) check.key = null;
  } catch (error) {
    check.why.push(`The signature cannot be read: ${error.message}.`);
  }
  const hashed = await sha256(bytes);
  const digest = hexOf(hashed);
  const opens = parsed !== null && parsed.case === undefined;
  const ledger = parsed?.kind === 'genesis' ? 'sha256:' + digest : parsed?.ledger;
  check.place = ledger === genesis && event.of !== undefined &&
    (opens ? digest === event.of.id : parsed?.case === 'sha256:' + event.of.id);
  if (!check.place) check.why.push('It does not belong to this ledger and case.');
  const leaf = tree.leaf(event.position);
  check.leaf = leaf !== undefined && armor !== undefined && sameBytes(leaf, await leafHash(hashed, armor));
  if (!check.leaf) check.why.push(`It is not the leaf at ${event.position} of the log.`);
  if (parsed?.seen) {
    const root = rootAt(parsed.seen.size);
    if (root !== null) check.seen = 'sha256:' + hexOf(root) === parsed.seen.root;
    if (check.seen === false) check.why.push('Its author saw another history than this one.');
  }
  check.good = check.signature && check.key === true && check.place && check.leaf && check.seen !== false;
}

// 'part': its own entries hold, and what they rest on (the tree or the policies) does not.
function settleCase(one, report) {
  const own = one.missing.length === 0 && one.events.length > 0 && one.events.every(
    (event) => event.of === one && event.check.signature && event.check.key !== false && event.check.place && event.check.leaf && event.check.seen !== false);
  const ground = report.tree.state === 'good' && one.events.every((event) => event.check.key === true);
  one.check = !own ? 'bad' : ground ? 'good' : 'part';
}

// The [log] key and witnesses of a policy.toml, line by line. People write it: a spelling that is not found here cannot be
// checked here, which is no verdict.
function logKeys(policy) {
  const point = (text) => (/^ssh-ed25519 \S+$/.test(text ?? '') ? parseKey(bytesOf(text.split(' ')[1])).point : null);
  const log = {};
  const witnesses = [];
  let table = {};
  for (const line of policy.split('\n')) {
    const header = /^\s*(\[\[?)\s*([^\]\s]+)\s*\]\]?/.exec(line);
    const field = /^\s*(name|key)\s*=\s*"([^"]*)"/.exec(line);
    if (header) {
      table = header[2] === 'log' ? log : {};
      if (header[2] === 'log.witness') witnesses.push(table);
    } else if (field) {
      table[field[1]] = field[2];
    }
  }
  return {
    log: point(log.key),
    witnesses: witnesses.map(({ name, key }) => ({ name, point: point(key) })).filter((one) => one.name && one.point),
  };
}

async function checkNote(data, report, tree) {
  if (!data.checkpoint) {
    report.checkpoint.state = 'none';
    return;
  }
  try {
    const note = parseCheckpoint(data.checkpoint);
    report.note = note;
    const { log, witnesses } = logKeys(data.policies[data.policies.length - 1]?.policy ?? '');
    if (log === null) {
      report.checkpoint.state = 'cannot';
      report.checkpoint.say.push('The log key was not found in policy.toml: its [log] is written in a way that this page does not read.');
      return;
    }
    const { signed, cosigned } = await checkCheckpoint(note, log, witnesses);
    report.cosigned = cosigned;
    const origin = `jit/${shortOf(bytesOfHex(data.ledger.id.slice(7)))}`;
    const root = tree.rootAt(note.size);
    if (!signed || note.origin !== origin) settle(report.checkpoint, false, 'The log key did not sign this checkpoint of this ledger.');
    else if (root === null || !sameBytes(root, note.root)) settle(report.checkpoint, false, `The root at size ${note.size} is not the checkpoint’s.`);
    else settle(report.checkpoint, true, null);
  } catch (error) {
    settle(report.checkpoint, false, `The checkpoint cannot be checked: ${error.message}.`);
  }
}

// Whether each entry belongs to a case, and, where the page says that it carries the whole ledger, whether it does.
function checkWhole(evidence, report) {
  const { data, events, cases } = evidence;
  report.whole.state = 'good';
  const lost = cases.reduce((sum, one) => sum + one.missing.length, 0);
  if (lost > 0) settle(report.whole, false, `Entries that a case names are missing: ${lost}.`);
  const stray = [...events.values()].filter((event) => event.of === undefined).length;
  if (stray > 0) settle(report.whole, false, `Entries that belong to no case here: ${stray}.`);
  if (data.query.all && events.size + data.voids.length !== data.ledger.size) {
    settle(report.whole, false, `The page says that it carries all ${data.ledger.size} entries, and carries ${events.size + data.voids.length}.`);
  }
}
