// What is shown. Every text goes into the page as text (textContent, never markup): whatever an author wrote stays words.

function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'value') node.value = value;
    else node.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) node.append(child);
  }
  return node;
}

const VIEWS = [
  ['overview', 'Overview'], ['cases', 'Cases'], ['timeline', 'Timeline'], ['exceptions', 'Exceptions'], ['checks', 'Checks'],
];
const CASES_A_PAGE = 50;
const EVENTS_A_PAGE = 100;

const MARKS = {
  open: ['…', 'not checked yet'],
  good: ['✓', 'checked'],
  part: ['◐', 'in part: its own entries check, what they rest on does not'],
  bad: ['✗', 'does not check'],
  cannot: ['–', 'cannot be checked here'],
  none: ['–', 'none'],
};

// Marks follow the check while it runs: each knows how to ask for its state.
const liveMarks = new Map();

function mark(ask, short = false) {
  const node = el('span', { class: 'mark' });
  const draw = () => {
    const state = ask();
    if (node.dataset.state === state) return;
    const [sign, word] = MARKS[state];
    node.dataset.state = state;
    node.title = word;
    node.replaceChildren(el('span', { 'aria-hidden': 'true' }, sign), el('span', { class: short ? 'unseen' : 'word' }, ` ${word}`));
  };
  draw();
  liveMarks.set(node, draw);
  return node;
}

function redrawMarks() {
  for (const [node, draw] of liveMarks) {
    if (node.isConnected) draw();
    else liveMarks.delete(node);
  }
}

// What hides or turns text is shown as what it is (as jit does in a terminal).
function words(text) {
  return String(text).replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `<U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}>`);
}

function when(text) {
  return text ? text.replace('T', ' ').replace('Z', ' UTC') : '';
}

class App {
  constructor(evidence, report) {
    this.evidence = evidence;
    this.report = report;
    this.filter = { words: '', state: '', kind: '', check: '', emergency: false, page: 0 };
    this.span = { words: '', page: 0 };
    this.main = document.getElementById('main');
  }

  // ---- the frame ----

  start() {
    const { data } = this.evidence;
    const query = data.query;
    document.getElementById('ledger').textContent = data.ledger.name;
    document.getElementById('about').textContent = `${query.all ? 'The whole ledger' : query.say}, as of ${when(data.at)}`;
    const nav = document.getElementById('views');
    for (const [view, title] of VIEWS) nav.append(el('a', { href: `#/${view}`, id: `to-${view}` }, title));
    nav.append(el('button', { type: 'button', class: 'quiet', onclick: () => this.turnTheme(), title: 'Light or dark' }, '◑', el('span', { class: 'unseen' }, ' Light or dark')));
    document.getElementById('foot').append(
      el('p', {}, `Written by jit ${data.jit}. It gives evidence for controls; whether a control is met is for you to say.`));
    window.addEventListener('hashchange', () => this.show(true));
    this.show(false);
    this.drawVerdict();
  }

  turnTheme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  }

  show(moved) {
    const [view, id] = decodeURIComponent(location.hash.replace(/^#\/?/, '')).split('/');
    const known = VIEWS.some(([name]) => name === view) ? view : view === 'case' ? 'case' : 'overview';
    for (const [name] of VIEWS) {
      const link = document.getElementById(`to-${name}`);
      if (name === known || (known === 'case' && name === 'cases')) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    this.main.replaceChildren(...[this[known](id)].flat());
    this.main.dataset.view = known;
    if (moved) {
      this.main.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }

  drawVerdict() {
    const { report, evidence } = this;
    const box = document.getElementById('verdict');
    const all = evidence.events.size;
    const wrong = evidence.cases.filter((one) => one.check === 'bad').length;
    const told = {
      open: ['Checking…', `${report.done} of ${all} entries.`],
      good: ['Checked in this browser', `${all} ${all === 1 ? 'entry' : 'entries'}: every signature, every key, every leaf, the root${report.checkpoint.state === 'good' ? ' and the checkpoint' : ''}. The rules of approval were judged by jit, not here.`],
      bad: ['Does not check', wrong > 0 ? `${wrong} of ${evidence.cases.length} cases ${wrong === 1 ? 'is' : 'are'} not what was signed and logged.` : 'The cases’ own entries hold, but what they rest on does not.'],
      part: ['Checked in part', 'Something could not be checked here; nothing was found wrong.'],
      cannot: ['Cannot be checked here', `${report.why} Nothing on this page has been checked. Use a newer browser, or the bundle (jit audit bundle), which ssh-keygen and sha256sum check.`],
    }[report.state];
    box.dataset.state = report.state;
    box.replaceChildren(
      el('p', { class: 'word' }, el('span', { 'aria-hidden': 'true' }, MARKS[report.state][0] + ' '), told[0]),
      el('p', { class: 'say' }, told[1]),
      el('a', { href: '#/checks' }, 'What was checked'));
    redrawMarks();
  }

  caseMark(one, short) {
    return mark(() => (this.report.state === 'cannot' ? 'cannot' : one.check), short);
  }

  // ---- overview ----

  overview() {
    const { cases, data } = this.evidence;
    const access = cases.filter((one) => one.kind === 'request' && !one.told.context);
    const approve = access.filter((one) => one.told.decided && !one.emergency).map((one) => timeOf(one.told.decided) - timeOf(one.opened));
    const lengths = access.filter((one) => one.told.starts && one.told.ended).map((one) => timeOf(one.told.ended.time) - timeOf(one.told.starts));
    const emergencies = access.filter((one) => one.emergency);
    const state = (name) => access.filter((one) => one.told.state === name).length;
    const share = access.length ? `${Math.round((1000 * emergencies.length) / access.length) / 10} % of cases` : '';
    const figures = [
      ['Cases', access.length], ['Live', state('live')], ['Denied', state('denied')], ['Emergencies', emergencies.length, share],
      ['Median time to approve', approve.length ? lengthText(median(approve)) : '–'],
      ['Median length', lengths.length ? lengthText(median(lengths)) : '–'],
      ['Reviews due', state('review due')], ['Void commits', data.voids.length],
    ];
    const perDay = byDay(access.map((one) => timeOf(one.opened)));
    const urgent = byDay(emergencies.map((one) => timeOf(one.opened)));
    const minutes = [300, 900, 1800, 3600, 4 * 3600];
    return [
      el('h2', {}, 'Overview'),
      el('dl', { class: 'figures' }, figures.map(([name, value, more]) => el('div', {}, el('dt', {}, name), el('dd', {}, String(value), more ? el('small', {}, more) : null)))),
      access.length === 0 ? el('p', {}, 'No access case in this selection.') : el('div', { class: 'charts' },
        barChart({ title: `Cases per ${perDay.per}`, note: 'Access that was asked for.', rows: perDay.rows, unit: 'cases' }),
        barChart({ title: 'Time to approve', note: 'From the request to the quorum, emergencies left out.', rows: byLength(approve, minutes), unit: 'cases' }),
        barChart({ title: 'Length of access', note: 'From the credential to the end of the case.', rows: byLength(lengths, [...minutes.slice(0, 4), 7200]), unit: 'cases' }),
        barChart({ title: `Emergencies per ${urgent.per}`, note: emergencies.length ? 'Break-glass: issued first, reviewed after.' : 'None in this selection.', rows: urgent.rows, unit: 'cases', tone: 'urgent' })),
      el('p', { class: 'note' }, `States, quorums and deadlines are as jit judged them at ${when(data.at)}. Times are the authors’ own clocks, which each event signs.`),
    ];
  }

  // ---- cases ----

  cases() {
    const { filter } = this;
    const { cases } = this.evidence;
    const changed = (key, read) => (event) => {
      filter[key] = read(event.target);
      filter.page = 0;
      this.drawCases();
    };
    const choice = (label, key, options) => el('label', {}, label, ' ', el('select', { id: `filter-${key}`, onchange: changed(key, (node) => node.value) },
      [['', 'all'], ...options].map(([value, name]) => el('option', { value, selected: filter[key] === value }, name))));
    const distinct = (read) => [...new Set(cases.map(read))].sort().map((value) => [value, value]);
    this.rows = el('tbody', {});
    this.count = el('p', { class: 'count', role: 'status' });
    this.pager = el('div', { class: 'pager' });
    const out = [
      el('h2', {}, 'Cases'),
      el('form', { class: 'filters', role: 'search', onsubmit: (event) => event.preventDefault() },
        el('label', { class: 'wide' }, 'Search ', el('input', { type: 'search', id: 'search', value: filter.words, placeholder: 'who, what, ticket, incident, reason, id, code', autocomplete: 'off', oninput: changed('words', (node) => node.value) })),
        choice('State', 'state', distinct((one) => one.told.state)),
        choice('Kind', 'kind', distinct((one) => one.kind)),
        choice('Check', 'check', [['good', 'checked'], ['part', 'in part'], ['bad', 'does not check'], ['open', 'not checked']]),
        el('label', { class: 'tick' }, el('input', { type: 'checkbox', id: 'filter-emergency', checked: filter.emergency, onchange: changed('emergency', (node) => node.checked) }), ' Emergencies')),
      this.count,
      el('div', { class: 'scroll' }, el('table', { class: 'cases' },
        el('thead', {}, el('tr', {}, ['', 'Case', 'Opened', 'Who', 'What', 'State'].map((name) => el('th', { scope: 'col' }, name || el('span', { class: 'unseen' }, 'Check'))))), this.rows)),
      this.pager,
    ];
    this.drawCases();
    return out;
  }

  found() {
    const { filter } = this;
    const wanted = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
    return this.evidence.cases.filter((one) =>
      wanted.every((word) => one.words.includes(word)) && (!filter.state || one.told.state === filter.state) &&
      (!filter.kind || one.kind === filter.kind) && (!filter.check || one.check === filter.check) && (!filter.emergency || one.emergency));
  }

  drawCases() {
    const { filter } = this;
    const found = this.found().reverse();
    const some = found.slice(filter.page * CASES_A_PAGE, (filter.page + 1) * CASES_A_PAGE);
    this.count.textContent = `${found.length} of ${this.evidence.cases.length} cases, the newest first`;
    this.rows.replaceChildren(...some.map((one) => el('tr', {},
      el('td', {}, this.caseMark(one, true)),
      el('td', {}, el('a', { href: `#/case/${one.short}`, class: 'id' }, one.short)),
      el('td', { class: 'time' }, when(one.opened)),
      el('td', {}, one.actor),
      el('td', {}, words(one.subject), one.emergency ? el('span', { class: 'tag urgent' }, 'emergency') : null, one.told.context ? el('span', { class: 'tag' }, 'carried along') : null),
      el('td', {}, el('span', { class: 'state' }, one.told.state), one.findings.map((finding) => el('span', { class: 'tag warn', title: words(finding.message) }, finding.code))))));
    this.drawPager(this.pager, filter, found.length, CASES_A_PAGE, () => this.drawCases());
  }

  drawPager(node, at, count, size, draw) {
    const last = Math.max(0, Math.ceil(count / size) - 1);
    const go = (page) => () => {
      at.page = page;
      draw();
    };
    node.replaceChildren(...(last === 0 ? [] : [
      el('button', { type: 'button', disabled: at.page === 0, onclick: go(at.page - 1) }, '← Newer'),
      el('span', {}, `Page ${at.page + 1} of ${last + 1}`),
      el('button', { type: 'button', disabled: at.page === last, onclick: go(at.page + 1) }, 'Older →'),
    ]));
  }

  // ---- one case ----

  case(short) {
    const one = this.evidence.byId.get(short);
    if (!one) return [el('h2', {}, 'No such case'), el('p', {}, `This page carries no case ${words(short ?? '')}.`)];
    const told = one.told;
    const facts = [];
    const fact = (name, value) => {
      if (value !== undefined && value !== null && value !== '') facts.push(el('div', {}, el('dt', {}, name), el('dd', {}, value instanceof Node ? value : words(value))));
    };
    const body = one.body;
    fact('Asked by', one.actor);
    fact('What', one.subject);
    fact('Why', body.business_need ?? body.reason);
    fact('Why no less', body.least_privilege);
    fact('Ticket', body.ticket);
    fact('Incident', body.incident);
    fact('Risk', body.risk && `${body.risk.level}: ${body.risk.impact}`);
    fact('Undone by', body.risk?.rollback);
    fact('Data', body.risk?.data?.join(', '));
    fact('Extends', typeof body.extends === 'string' ? shortOf(bytesOfHex(body.extends.slice(7))) : null);
    const judged = [['State', told.state], ['Quorum met', when(told.decided)], ['Credential from', when(told.starts)], ['Credential until', when(told.ends)],
      ['Ended', told.ended ? `${when(told.ended.time)}, ${told.ended.by}` : '']].filter(([, value]) => value);
    return [
      el('p', { class: 'back' }, el('a', { href: '#/cases' }, '← Cases')),
      el('h2', {}, el('span', { class: 'id' }, one.short), ' ', one.emergency ? el('span', { class: 'tag urgent' }, 'emergency') : null),
      el('p', { class: 'casecheck' }, this.caseMark(one, false)),
      one.missing.length ? el('p', { class: 'alarm' }, `Missing from this page: entries ${one.missing.join(', ')}.`) : null,
      this.strip(one),
      el('dl', { class: 'facts' }, facts),
      el('h3', {}, 'As jit judged it'),
      el('dl', { class: 'facts' }, judged.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))),
      one.findings.map((finding) => el('p', { class: 'alarm soft' }, `${finding.code}: ${words(finding.message)}`)),
      el('h3', {}, 'Entries'),
      el('p', { class: 'note' }, 'Checked of each: its signature; that the policy in force lets this key sign this for its author; that it names this ledger and case; that it is a leaf of the log; and that its author saw this history.'),
      el('ol', { class: 'entries' }, one.events.map((event) => this.entry(event))),
      el('p', { class: 'note' }, `Case ${one.id}`),
    ].filter(Boolean).flat();
  }

  // The life of a case as a line: from the request to the last entry, with the time in which the credential was valid.
  strip(one) {
    const times = one.events.map((event) => timeOf(said(event)?.time ?? one.opened)).filter(Number.isFinite);
    const from = one.told.starts ? timeOf(one.told.starts) : null;
    const to = one.told.ended ? timeOf(one.told.ended.time) : one.told.ends ? timeOf(one.told.ends) : null;
    const first = Math.min(...times);
    const last = Math.max(...times, to ?? 0);
    if (times.length < 2 || last <= first) return null;
    const at = (time) => 10 + (700 * (time - first)) / (last - first);
    const drawing = svg('svg', { viewBox: '0 0 720 34', class: 'strip', role: 'img', 'aria-label': `From ${when(one.opened)} over ${lengthText(last - first)}; the entries below have the times.` },
      svg('line', { x1: 10, x2: 710, y1: 17, y2: 17, class: 'axis' }));
    if (from !== null && to !== null && to > from) drawing.append(svg('rect', { x: at(from), y: 12, width: Math.max(2, at(to) - at(from)), height: 10, rx: 3, class: 'bar plain' }, svg('title', {}, 'The credential was valid')));
    one.events.forEach((event) => {
      const parsed = said(event);
      if (parsed) drawing.append(svg('circle', { cx: at(timeOf(parsed.time)), cy: 17, r: 5, class: 'dot' }, svg('title', {}, `${parsed.kind} by ${parsed.actor}, ${when(parsed.time)}`)));
    });
    return drawing;
  }

  entry(event) {
    const parsed = said(event);
    const own = parsed?.[parsed.kind] ?? {};
    const lines = [];
    for (const key of ['comment', 'reason', 'summary', 'verdict', 'follow_up', 'login', 'source', 'command', 'cause', 'serial', 'valid_after', 'valid_before', 'clean']) {
      if (own[key] !== undefined && !(parsed.kind === 'request' || parsed.kind === 'proposal' || parsed.kind === 'lock')) lines.push(`${key.replaceAll('_', ' ')}: ${own[key]}`);
    }
    for (const change of own.changes ?? []) lines.push(`change: ${change}`);
    for (const item of own.item ?? []) lines.push(`${item.check ?? item.probe}: ${item.answer ?? item.result}${item.note ?? item.detail ? ` (${item.note ?? item.detail})` : ''}`);
    const state = (name) => () => {
      if (this.report.state === 'cannot') return 'cannot';
      if (!event.check) return 'open';
      const value = event.check[name];
      return value === true ? 'good' : value === false ? 'bad' : name === 'seen' ? 'none' : 'part';
    };
    const check = event.check ?? {};
    const flags = check.flags === undefined ? '' : ` (hardware key${check.flags & 1 ? ', touched' : ''}${check.flags & 4 ? ', PIN given' : ''})`;
    return el('li', {},
      el('div', { class: 'entryhead' }, mark(state('good'), true), ' ', el('strong', {}, words(parsed?.kind ?? 'unreadable')), ' ', el('span', {}, words(parsed?.actor ?? '?')),
        el('time', {}, when(parsed?.time)), el('span', { class: 'position' }, `#${event.position}`)),
      lines.length ? el('div', { class: 'words' }, lines.map((line) => el('p', {}, words(line)))) : null,
      el('ul', { class: 'checks' },
        el('li', {}, mark(state('signature'), true), ' signature'),
        el('li', {}, mark(state('key'), true), ` ${words(parsed?.actor ?? '?')}’s key ${check.fingerprint ?? ''}${flags}, policy version ${check.policy ?? '?'}`),
        el('li', {}, mark(state('place'), true), ' ledger and case'),
        el('li', {}, mark(state('leaf'), true), ` leaf ${event.position}`),
        el('li', {}, mark(state('seen'), true), check.seen === null ? ' history seen: not to be told from this selection' : ' history seen')),
      check.why?.length ? el('p', { class: 'alarm' }, check.why.map(words).join(' ')) : null,
      el('details', {}, el('summary', {}, 'What was signed'), el('pre', {}, words(event.text)), el('p', { class: 'note' }, `commit ${event.commit}`)));
  }

  // ---- timeline ----

  timeline() {
    const { span } = this;
    this.order ??= [...this.evidence.events.values()].map((event) => ({ event, time: /^time = (\S+)$/m.exec(event.text)?.[1] ?? '' }))
      .sort((left, right) => (left.time < right.time ? 1 : left.time > right.time ? -1 : right.event.position - left.event.position));
    const list = el('ol', { class: 'timeline' });
    const pager = el('div', { class: 'pager' });
    const count = el('p', { class: 'count', role: 'status' });
    const draw = () => {
      const wanted = span.words.toLowerCase().split(/\s+/).filter(Boolean)
        .map((word) => [word, new RegExp(word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'i')]);
      const found = this.order.filter(({ event }) => wanted.every(([word, pattern]) => event.of?.words.includes(word) || pattern.test(event.text)));
      let day = '';
      const rows = [];
      for (const { event, time } of found.slice(span.page * EVENTS_A_PAGE, (span.page + 1) * EVENTS_A_PAGE)) {
        if (time.slice(0, 10) !== day) {
          day = time.slice(0, 10);
          rows.push(el('li', { class: 'day' }, el('h3', {}, day)));
        }
        const parsed = said(event);
        rows.push(el('li', {}, el('time', {}, time.slice(11, 19)), ' ',
          mark(() => (this.report.state === 'cannot' ? 'cannot' : !event.check ? 'open' : event.check.good ? 'good' : 'bad'), true), ' ',
          el('strong', {}, words(parsed?.kind ?? 'unreadable')), ` ${words(parsed?.actor ?? '?')} `,
          event.of ? el('a', { href: `#/case/${event.of.short}`, class: 'id' }, event.of.short) : null, ' ',
          el('span', { class: 'faint' }, event.of ? words(event.of.subject) : '')));
      }
      list.replaceChildren(...rows);
      count.textContent = `${found.length} of ${this.order.length} entries, the newest first`;
      this.drawPager(pager, span, found.length, EVENTS_A_PAGE, draw);
    };
    const out = [el('h2', {}, 'Timeline'),
      el('form', { class: 'filters', role: 'search', onsubmit: (event) => event.preventDefault() },
        el('label', { class: 'wide' }, 'Search ', el('input', { type: 'search', id: 'search-timeline', value: span.words, placeholder: 'kind, who, day, any word of an entry', autocomplete: 'off', oninput: (event) => { span.words = event.target.value; span.page = 0; draw(); } }))),
      count, list, pager];
    draw();
    return out;
  }

  // ---- exceptions ----

  exceptions() {
    const { data, cases } = this.evidence;
    const findings = data.findings.map((finding) => {
      const one = cases.find((known) => known.id === finding.case);
      return el('tr', {}, el('td', {}, el('strong', {}, finding.code)), el('td', {}, one ? el('a', { href: `#/case/${one.short}`, class: 'id' }, one.short) : '–'),
        el('td', {}, one?.actor ?? ''), el('td', {}, words(finding.message)));
    });
    const voids = data.voids.map((one) => el('tr', {}, el('td', {}, el('strong', {}, one.code)), el('td', {}, `#${one.position}`), el('td', { class: 'id' }, one.commit.slice(0, 12)),
      el('td', {}, one.acknowledged ? 'acknowledged' : 'open'), el('td', {}, words(one.message))));
    const emergencies = cases.filter((one) => one.emergency).map((one) => el('tr', {}, el('td', {}, this.caseMark(one, true)), el('td', {}, el('a', { href: `#/case/${one.short}`, class: 'id' }, one.short)),
      el('td', { class: 'time' }, when(one.opened)), el('td', {}, one.actor), el('td', {}, words(one.incident)), el('td', {}, one.told.state)));
    const table = (heads, rows) => rows.length === 0 ? el('p', {}, 'None.') : el('div', { class: 'scroll' }, el('table', {}, el('thead', {}, el('tr', {}, heads.map((head) => el('th', { scope: 'col' }, head)))), el('tbody', {}, rows)));
    return [el('h2', {}, 'Exceptions'), el('p', { class: 'note' }, `Found and judged by jit at ${when(data.at)}.`),
      el('h3', {}, 'Findings'), table(['Code', 'Case', 'Who', 'What'], findings),
      el('h3', {}, 'Void commits'), table(['Rule', 'Entry', 'Commit', 'Root quorum', 'Why'], voids),
      el('h3', {}, 'Emergencies'), table(['', 'Case', 'Opened', 'Who', 'Incident', 'State'], emergencies)];
  }

  // ---- checks ----

  checks() {
    const { report } = this;
    const { data, events, cases } = this.evidence;
    const part = (name, title, say) => el('li', {}, mark(() => (report.state === 'cannot' ? 'cannot' : report[name].state), false), el('strong', {}, title), ' ', say,
      report[name].say.map((line) => el('p', { class: 'alarm' }, words(line))));
    const compare = el('span', { class: 'mark', role: 'status' });
    const known = [data.ledger.id, data.ledger.root, data.ledger.head, ...data.policies.map((policy) => policy.digest)];
    const ask = (event) => {
      const text = event.target.value.trim().replace(/^sha256:/, '');
      const same = known.find((one) => one && one.replace(/^sha256:/, '') === text);
      compare.textContent = text === '' ? '' : same ? ' the same as on this page' : ' not on this page';
    };
    return [
      el('h2', {}, 'What was checked, and what was not'),
      el('ul', { class: 'parts' },
        part('policies', 'Policies.', `Each policy.toml and allowed_signers below is the one whose SHA-256 stands in the signed genesis or proposal (${data.policies.length}).`),
        part('events', 'Entries.', `Each signature is one over the entry’s bytes, by a key that the policy in force there gives its author for this kind of entry; each names its ledger and case, and its leaf is in the log (${events.size}).`),
        part('tree', 'Root.', `The Merkle root (RFC 6962) over all ${data.ledger.size} leaves, computed from the leaves that are carried and the hashes of what lies between them.`),
        part('voids', 'Void commits.', `Each is the leaf that the log has at its place (${data.voids.length}).`),
        part('checkpoint', 'Checkpoint.', data.checkpoint ? `Signed by the log key of the policy${report.note ? ` over ${report.note.size} entries` : ''}${report.cosigned?.length ? `, cosigned by ${report.cosigned.map((one) => `${one.name} at ${when(new Date(one.time * 1000).toISOString().slice(0, 19) + 'Z')}`).join(', ')}` : ''}.` : 'This ledger has none, so no key vouches for its root: compare the root with somebody else’s.'),
        part('whole', 'All there.', data.query.all ? 'The page carries every entry of the log.' : 'Every entry that a case names is here. That no further case belongs to the selection only the whole ledger can show.')),
      el('p', {}, report.seenChecked > 0 ? `${report.seenChecked} signatures each name the root of the log as their author saw it, and it is this log’s; the newest of them vouches for the first ${report.newestSeen} entries.` : ''),
      el('h3', {}, 'Not checked here'),
      el('ul', {},
        el('li', {}, 'The rules: who may approve, quorums, times, what a certificate may say, states and deadlines. jit judged them when it wrote this page (jit verify does, on a clone of the ledger).'),
        el('li', {}, 'That nothing happened outside the ledger: compare the hosts’ own logs with it.'),
        el('li', {}, 'This page itself: whoever wrote it could have written another one. Compare the ledger id and the root with what you know from elsewhere, or use the bundle with tools of your own.')),
      el('h3', {}, 'Compare'),
      el('dl', { class: 'facts' }, [['Ledger', data.ledger.id], ['Head', data.ledger.head], ['Size', String(data.ledger.size)], ['Root', report.root ?? 'not computed'], ['Cases', String(cases.length)]]
        .map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', { class: 'id' }, value)))),
      el('p', {}, el('label', {}, 'A ledger id, root, commit or policy digest that you have from elsewhere: ', el('input', { type: 'text', id: 'compare', class: 'long', autocomplete: 'off', spellcheck: 'false', oninput: ask })), compare),
      el('h3', {}, 'Policies in force'),
      el('div', { class: 'scroll' }, el('table', {}, el('thead', {}, el('tr', {}, ['Version', 'From entry', 'SHA-256 of policy.toml'].map((head) => el('th', { scope: 'col' }, head)))),
        el('tbody', {}, data.policies.map((policy) => el('tr', {}, el('td', {}, String(policy.version)), el('td', {}, String(policy.from)), el('td', { class: 'id' }, policy.digest ?? 'not computed')))))),
      data.policies.map((policy) => el('details', {}, el('summary', {}, `policy.toml, version ${policy.version}`), el('pre', {}, words(policy.policy)))),
    ].flat();
  }
}

// ---- start ---------------------------------------------------------------------------------------------------------

(async () => {
  const began = performance.now();
  let evidence;
  const report = newReport();
  try {
    evidence = readEvidence(document.getElementById('evidence').textContent);
  } catch (error) {
    const box = document.getElementById('verdict');
    box.dataset.state = 'bad';
    box.replaceChildren(el('p', { class: 'word' }, '✗ Cannot be read'), el('p', { class: 'say' }, 'What this page carries is damaged: nothing on it has been checked.'));
    document.documentElement.dataset.check = 'bad';
    return;
  }
  const app = new App(evidence, report);
  app.start();
  document.documentElement.dataset.ready = String(Math.round(performance.now() - began));
  let drawn = 0;
  // The check gives way to the reader: after each batch the browser may draw and answer.
  const tell = async () => {
    if (report.state === 'open' && performance.now() - drawn < 100) return;
    drawn = performance.now();
    app.drawVerdict();
    await new Promise((done) => setTimeout(done));
  };
  try {
    await checkEvidence(evidence, report, tell);
  } catch (error) {
    report.state = 'bad';
    report.whole.state = 'bad';
    report.whole.say.push(`The check did not come to its end: ${error.message}.`);
  }
  app.show(false);
  app.drawVerdict();
  document.documentElement.dataset.check = report.state;
  document.documentElement.dataset.took = String(Math.round(performance.now() - began));
})();
