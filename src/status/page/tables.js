// Tables that are kept up to date cell by cell: what hasn't changed isn't touched. Everything goes in as text.

/** A table as rows.js describes it, and the section around it. */
export class Table {
  #about;
  #body;
  #count;
  #empty;
  #frame;
  #rows = new Map();
  #order;
  /** What others than the rows say: how many there are in all. */
  #total;

  /** @param {object} about @param {() => void} onAsk the user wants other rows */
  constructor(about, onAsk) {
    this.#about = about;
    this.#order = about.order ?? Object.values(about.orders)[0].order;
    const id = `title-${about.name}`;
    this.section = element('section', { 'aria-labelledby': id });
    const head = element('div', { class: 'head' });
    const title = element('h2', { id }, about.title);
    this.#count = element('span', { class: 'count' });
    title.append(' ', this.#count);
    head.append(title);
    if (about.filter) head.append(this.#controls(onAsk));
    this.#empty = element('p', { class: 'empty muted' }, about.empty);
    this.#frame = element('div', { class: 'frame' });
    const table = element('table', { role: 'table', 'aria-labelledby': id });
    const heads = element('tr', { role: 'row' });
    for (const { label, numeric } of about.columns) {
      const cell = element('th', { scope: 'col', role: 'columnheader' }, label);
      if (numeric) cell.classList.add('numeric');
      heads.append(cell);
    }
    const top = element('thead', { role: 'rowgroup' });
    top.append(heads);
    this.#body = element('tbody', { role: 'rowgroup' });
    table.append(top, this.#body);
    this.#frame.append(table);
    this.section.append(head, this.#empty, this.#frame);
    this.#show();
  }

  get name() {
    return this.#about.name;
  }

  /** What the user asks for. */
  get query() {
    const { filter, order } = this.#asked ?? {};
    return { filter: filter?.value ?? '', sort: order?.value ?? '' };
  }

  #asked;

  /** Forgets all rows: others follow. */
  clear() {
    for (const { element: row } of this.#rows.values()) row.remove();
    this.#rows.clear();
  }

  /** @param {{ rows: object[], gone: string[] }} change */
  update({ rows, gone }, now) {
    for (const id of gone) {
      this.#rows.get(id)?.element.remove();
      this.#rows.delete(id);
    }
    for (const data of rows) {
      const known = this.#rows.get(data.id);
      const sent = data.bytesUp + data.bytesDown;
      const row = known ?? this.#newRow();
      // Two changes of a second tell how fast it is; the first tells nothing.
      row.speed = known ? ((sent - row.sent) * 1000) / Math.max(now - row.changedAt, 500) : 0;
      Object.assign(row, { data, sent, changedAt: now });
      this.#rows.set(data.id, row);
    }
  }

  /** @param {{ now: number, total?: number, sums: object }} context */
  draw(context) {
    this.#total = context.total;
    for (const row of this.#rows.values()) {
      const speed = context.now - row.changedAt > 1500 ? 0 : row.speed;
      for (const [index, column] of this.#about.columns.entries()) {
        fill(row.cells[index], column.cell(row.data, { ...context, speed }));
      }
    }
    const order = [...this.#rows.values()].sort((a, b) => this.#order(a.data, b.data));
    for (const [index, { element: row }] of order.entries()) {
      const there = this.#body.children[index];
      if (there !== row) this.#body.insertBefore(row, there ?? null);
    }
    this.#show();
  }

  /** @template T @param {(row: object) => number} value */
  sum(value) {
    let sum = 0;
    for (const { data } of this.#rows.values()) sum += value(data);
    return sum;
  }

  #show() {
    const shown = this.#rows.size;
    const total = this.#total ?? shown;
    setText(
      this.#count,
      total > shown ? `${shown} of ${total.toLocaleString('en')}` : String(shown),
    );
    this.#frame.hidden = shown === 0;
    this.#empty.hidden = shown > 0;
    const isFiltered = this.query.filter.trim() !== '';
    setText(this.#empty, isFiltered ? 'No stream matches.' : this.#about.empty);
  }

  #newRow() {
    const row = element('tr', { role: 'row' });
    const cells = this.#about.columns.map(({ label, numeric, main, wide }) => {
      const cell = element(
        main ? 'th' : 'td',
        main ? { scope: 'row', role: 'rowheader' } : { role: 'cell' },
      );
      cell.dataset.label = label;
      if (numeric) cell.classList.add('numeric');
      if (wide) cell.classList.add('wide');
      const text = element('span', { class: 'text' });
      cell.append(text);
      row.append(cell);
      return { cell, text };
    });
    return { element: row, cells, speed: 0, sent: 0, changedAt: 0 };
  }

  #controls(onAsk) {
    const { orders } = this.#about;
    const form = element('form', { class: 'controls', role: 'search' });
    const filter = element('input', {
      type: 'search',
      'aria-label': 'Filter streams by host, key, way or npub',
      placeholder: 'filter',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    const order = element('select', { 'aria-label': 'Order of streams' });
    for (const [value, { label }] of Object.entries(orders)) {
      order.append(element('option', { value }, label));
    }
    let timer;
    filter.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(onAsk, 300);
    });
    order.addEventListener('change', () => {
      this.#order = orders[order.value].order;
      onAsk();
    });
    form.addEventListener('submit', (event) => event.preventDefault());
    form.append(filter, order);
    this.#asked = { filter, order };
    return form;
  }
}

/** An element with attributes and a text. */
export function element(name, attributes = {}, text = '') {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== '') made.textContent = text;
  return made;
}

export function setText(of, text) {
  if (of.textContent !== text) of.textContent = text;
}

/** Brings one cell up to date. */
function fill(part, content) {
  const { text, note, title, tone, share } =
    typeof content === 'object' ? content : { text: content };
  setText(part.text, text);
  if ((part.text.dataset.tone ?? '') !== (tone ?? '')) part.text.dataset.tone = tone ?? '';
  if (title !== undefined && part.text.title !== title) part.text.title = title;
  if (note !== undefined && part.note === undefined) {
    part.note = element('span', { class: 'note' });
    part.cell.append(part.note);
  }
  if (part.note !== undefined) {
    setText(part.note, note ?? '');
    part.note.hidden = !note;
  }
  if (share === undefined) return;
  if (part.meter === undefined) {
    part.meter = element('meter', { min: '0', max: '1', 'aria-hidden': 'true' });
    part.cell.append(part.meter);
  }
  if (part.meter.value !== share) part.meter.value = share;
}
