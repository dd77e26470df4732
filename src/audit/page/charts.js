// Charts: plain SVG, and each with its numbers as a table, for whoever does not see it.

function svg(name, attributes, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// A figure of bars. `rows`: [{label, value, long}], `unit`: what is counted.
function barChart({ title, note, rows, unit, tone = 'plain' }) {
  const [width, height, bottom, top] = [440, 170, 26, 12];
  const most = Math.max(1, ...rows.map((row) => row.value));
  const step = niceStep(most / 4);
  const high = Math.ceil(most / step) * step;
  const left = 12 + 7 * String(high).length;
  const room = (width - left) / Math.max(1, rows.length);
  const scale = (value) => (height - bottom - top) * (value / high);
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${title}. The table below has the numbers.` });
  for (let value = 0; value <= high; value += step) {
    const y = height - bottom - scale(value);
    drawing.append(svg('line', { x1: left, x2: width, y1: y, y2: y, class: value === 0 ? 'axis' : 'grid' }));
    drawing.append(svg('text', { x: left - 6, y: y + 4, class: 'tick end' }, String(value)));
  }
  const every = Math.ceil(rows.length / 8);
  rows.forEach((row, i) => {
    const x = left + i * room;
    const wide = Math.min(48, Math.max(0.5, room * 0.82));
    const bar = svg('rect', {
      x: x + (room - wide) / 2, y: height - bottom - scale(row.value), width: wide, height: scale(row.value), class: `bar ${tone}`,
    }, svg('title', {}, `${row.long ?? row.label}: ${row.value} ${unit}`));
    drawing.append(bar);
    if (i % every === 0) drawing.append(svg('text', { x: x + room / 2, y: height - 8, class: 'tick middle' }, row.label));
  });
  const table = el('table', {}, el('thead', {}, el('tr', {}, el('th', {}, ''), el('th', { class: 'number' }, unit))),
    el('tbody', {}, ...rows.map((row) => el('tr', {}, el('th', { scope: 'row' }, row.long ?? row.label), el('td', { class: 'number' }, String(row.value))))));
  return el('figure', { class: 'chart' }, el('figcaption', {}, el('h3', {}, title), el('p', { class: 'note' }, note)),
    drawing, el('details', {}, el('summary', {}, 'The numbers'), table));
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? 1;
}

const DAY = 86400;

// Counts by day; by week or month where there would be too many bars.
function byDay(times) {
  if (times.length === 0) return { rows: [], per: 'day' };
  let first = Infinity;
  let last = -Infinity;
  for (const time of times) {
    first = Math.min(first, Math.floor(time / DAY));
    last = Math.max(last, Math.floor(time / DAY));
  }
  const span = last - first + 1;
  const width = span <= 45 ? 1 : span <= 320 ? 7 : 30;
  const counts = new Array(Math.ceil(span / width)).fill(0);
  for (const time of times) counts[Math.floor((Math.floor(time / DAY) - first) / width)] += 1;
  const rows = counts.map((value, i) => {
    const day = new Date((first + i * width) * DAY * 1000).toISOString().slice(0, 10);
    return { label: day.slice(5), long: width === 1 ? day : `${width} days from ${day}`, value };
  });
  return { rows, per: width === 1 ? 'day' : `${width} days` };
}

// Counts by lengths of time: `edges` in seconds, rising.
function byLength(seconds, edges) {
  const counts = new Array(edges.length + 1).fill(0);
  for (const one of seconds) {
    const place = edges.findIndex((edge) => one <= edge);
    counts[place < 0 ? edges.length : place] += 1;
  }
  return counts.map((value, i) => ({
    label: i < edges.length ? `≤ ${lengthText(edges[i])}` : `> ${lengthText(edges[i - 1])}`, value,
  }));
}

function lengthText(seconds) {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * DAY) return `${Math.round(seconds / 360) / 10} h`;
  return `${Math.round(seconds / 8640) / 10} d`;
}

function median(values) {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
