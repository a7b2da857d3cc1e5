/** Verifies the audit log in place, and marks the records that were verified. */

import { h, icon } from '../lib/dom.js';
import { Section, moment } from './section.js';

const BUSY_MS = 300;

const count = (/** @type {number} */ number, /** @type {string} */ what) =>
  `${number.toLocaleString()} ${what}${number === 1 ? '' : 's'}`;

/**
 * A line with an icon of the page's sprite.
 * @param {string} kind
 * @param {string} name
 * @param {(string | HTMLElement)[]} content
 */
const notice = (kind, name, ...content) =>
  h('div', { class: `notice notice--${kind}` }, icon(name), h('div', {}, ...content));

/** @param {import('../api.js').Verified} verified */
const result = (verified) => {
  if (!verified.whole) {
    const list = h(
      'ul',
      {},
      ...verified.findings.map((finding) => h('li', {}, `${finding[0].toUpperCase()}${finding.slice(1)}.`)),
    );
    return notice('danger', 'alert', `The log was tampered with. Checked ${moment(verified.at)}.`, list);
  }
  const rest = verified.to - verified.vouched;
  const tail = rest > 0 ? ` ${count(rest, 'newer record')} will be under the next head.` : '';
  return notice(
    'info',
    'verified',
    `Nothing was changed, removed or put in between. ${count(verified.records, 'record')} and ${count(verified.heads, 'signed head')} were checked ${moment(verified.at)}.${tail}`,
  );
};

/** @param {import('../api.js').Verified | null} verified */
const mark = (verified) => {
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-record]'))) {
    const id = Number(row.dataset.record);
    const covered = verified !== null && verified.whole && id >= verified.from && id <= verified.vouched;
    const proved = /** @type {HTMLElement | null} */ (row.querySelector('[data-proved]'));
    if (proved) proved.hidden = !covered;
  }
};

class ProofSection extends Section {
  constructor() {
    super('proof');
    if (!this.root) return;
    this.listen(this.part('verify'), 'click', () => void this.#verify());
    void this.#look();
  }

  /** @param {import('../api.js').AuditProof} proof */
  #draw({ head, verification: { running, done, total, last } }) {
    if (head) {
      this.part('head').textContent =
        `The newest signed head vouches for every record up to ${head.record_id.toLocaleString()}. It was signed ${moment(head.timestamp)}.`;
    }
    this.part('progress').hidden = !running;
    if (running) {
      this.part('what').textContent =
        `Reading record ${done.toLocaleString()} of ${Math.max(done, total).toLocaleString()}`;
      this.progress(done, total);
    }
    this.#busy(running);
    this.part('result').replaceChildren(...(last && !running ? [result(last)] : []));
    if (!running) mark(last);
    return running;
  }

  /** @param {boolean} busy */
  #busy(busy) {
    this.part('verify').setAttribute('aria-busy', String(busy));
  }

  /** @param {string} text */
  #warn(text) {
    this.#busy(false);
    this.part('result').replaceChildren(notice('warn', 'alert', text));
  }

  async #look() {
    try {
      const answer = await fetch('/api/v1/admin/audit/proof', { headers: { accept: 'application/json' } });
      if (!answer.ok) throw new Error(String(answer.status));
      if (this.#draw(await answer.json())) this.after(BUSY_MS, () => void this.#look());
    } catch {
      this.#warn('The server does not say how far it is. Reload the page.');
    }
  }

  async #verify() {
    if (this.part('verify').getAttribute('aria-busy') === 'true') return;
    this.#busy(true);
    try {
      const answer = await fetch('/api/v1/admin/audit/verify', { method: 'POST' });
      if (!answer.ok) throw new Error(String(answer.status));
      await this.#look();
    } catch {
      this.#warn('The log was not verified: the server refused or did not answer. Try again.');
    }
  }
}

new ProofSection();
