// From the evidence to cases: everything shown of an event is read from its signed bytes. What jit has judged (the state of
// a case, deadlines, findings) stands beside it, and is called so wherever it is shown.

// An event file. Canonical TOML is a small language: `key = value` on one line, where a value that is no time is JSON too.
// Objects have no prototype: no key of a file can mean anything but itself.
function parseEvent(text) {
  const root = Object.create(null);
  let table = root;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const header = /^(\[\[?)([a-z_.-]+)\]\]?$/.exec(line);
    if (header) {
      const names = header[2].split('.');
      const last = names.pop();
      let within = root;
      for (const name of names) within = within[name] ??= Object.create(null);
      const fresh = Object.create(null);
      if (header[1] === '[[') (within[last] ??= []).push(fresh);
      else within[last] = fresh;
      table = fresh;
      continue;
    }
    const cut = line.indexOf(' = ');
    if (cut < 0) throw new SyntaxError('a line of the event is none of TOML');
    const value = line.slice(cut + 3);
    table[line.slice(0, cut)] = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value) ? value : JSON.parse(value);
  }
  return root;
}

const ENDING = { s: 1, m: 60, h: 3600 };

function secondsOf(duration) {
  return Number(duration.slice(0, -1)) * ENDING[duration.slice(-1)];
}

function timeOf(text) {
  return Date.parse(text) / 1000;
}

// Everything the views ask for. Events are parsed when they are first looked at: a long ledger opens at once.
function readEvidence(text) {
  const data = JSON.parse(text);
  const events = new Map();
  for (const [position, bytes, signature, commit] of data.events) {
    events.set(position, { position, text: bytes, signature, commit, parsed: undefined, check: null });
  }
  const cases = data.cases.map((told) => {
    const one = { told, id: told.case, short: shortOf(bytesOfHex(told.case)), events: [], missing: [], check: 'open' };
    for (const position of told.events) {
      const event = events.get(position);
      if (event) {
        // Where two cases name one event, it is of the one that it names itself; the other is found out by that.
        if (event.of === undefined || said(event)?.case === `sha256:${told.case}`) event.of = one;
        one.events.push(event);
      } else {
        one.missing.push(position);
      }
    }
    const opening = one.events[0] ? said(one.events[0]) : null;
    one.kind = opening?.kind ?? 'unreadable';
    one.actor = opening?.actor ?? '?';
    one.opened = opening?.time ?? '';
    one.body = opening?.[one.kind] ?? Object.create(null);
    one.targets = one.body.targets ?? [];
    one.emergency = one.body.emergency === true;
    one.incident = one.body.incident ?? '';
    one.findings = data.findings.filter((finding) => finding.case === told.case);
    one.subject = subjectOf(one);
    one.words = [
      one.short, one.id, one.kind, one.actor, one.targets.join(' '), told.state, one.incident, one.body.ticket, one.subject,
      one.emergency ? 'emergency' : '', one.body.business_need, one.body.reason, one.opened,
      ...one.findings.map((finding) => finding.code),
    ].filter(Boolean).join('\n').toLowerCase();
    return one;
  });
  cases.sort((left, right) => (left.told.events[0] ?? 0) - (right.told.events[0] ?? 0));
  return { data, events, cases, byId: new Map(cases.map((one) => [one.short, one])) };
}

// The parsed event; null where its bytes are none (which its check will say).
function said(event) {
  if (event.parsed === undefined) {
    try {
      event.parsed = parseEvent(event.text);
    } catch (error) {
      event.parsed = null;
    }
  }
  return event.parsed;
}

function subjectOf(one) {
  const body = one.body;
  switch (one.kind) {
    case 'request': return `${one.targets.join(', ')} for ${body.duration ?? '?'}`;
    case 'lock': return `lock ${body.scope ?? '?'}`;
    case 'proposal': return body.subject === 'policy' ? `policy version ${body.version ?? '?'}` : String(body.subject ?? '?');
    case 'genesis': return `ledger ${body.name ?? '?'}`;
    default: return one.kind;
  }
}

// Which policy an event at this position is judged by: the last one in force before it.
function policyAt(policies, position) {
  let found = null;
  for (const policy of policies) if (policy.from <= position) found = policy;
  return found;
}
