/** Verifies the audit log in place, and marks the records that were verified. */

import { moment, Section } from './admin_job.js';
import { h, icon } from './lib/dom.js';

/**
 * @typedef {{ whole: boolean, at: number, records: number, from: number, to: number, heads: number, vouched: number, findings: string[] }} Verified
 * @typedef {{ running: boolean, done: number, total: number, last: Verified | null }} Verification
 * @typedef {{ number: number, record_id: number, hash: string, timestamp: number }} Head
 * @typedef {{ key: string, head: Head | null, newest_record: number, verification: Verification }} Proof
 */

const BUSY_MS = 300;

const section = new Section('proof');

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

/** @param {Verified} verified */
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

/** @param {Verified | null} verified */
const mark = (verified) => {
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-record]'))) {
    const id = Number(row.dataset.record);
    const covered = verified !== null && verified.whole && id >= verified.from && id <= verified.vouched;
    const proved = /** @type {HTMLElement | null} */ (row.querySelector('[data-proved]'));
    if (proved) proved.hidden = !covered;
  }
};

/** @param {Proof} proof */
const draw = (proof) => {
  const { running, done, total, last } = proof.verification;
  if (proof.head)
    section.part('head').textContent =
      `The newest signed head vouches for every record up to ${proof.head.record_id.toLocaleString()}. It was signed ${moment(proof.head.timestamp)}.`;
  section.part('progress').hidden = !running;
  if (running) {
    section.part('what').textContent =
      `Reading record ${done.toLocaleString()} of ${Math.max(done, total).toLocaleString()}`;
    section.progress(done, total);
  }
  section.part('verify').setAttribute('aria-busy', String(running));
  section.part('result').replaceChildren(...(last && !running ? [result(last)] : []));
  if (!running) mark(last);
  return running;
};

const look = async () => {
  try {
    const answer = await fetch('/api/v1/admin/audit/proof', { headers: { accept: 'application/json' } });
    if (!answer.ok) throw new Error(String(answer.status));
    if (draw(await answer.json())) setTimeout(look, BUSY_MS);
  } catch {
    section.part('verify').setAttribute('aria-busy', 'false');
    section
      .part('result')
      .replaceChildren(notice('warn', 'alert', 'The server does not say how far it is. Reload the page.'));
  }
};

section.part('verify')?.addEventListener('click', async () => {
  if (section.part('verify').getAttribute('aria-busy') === 'true') return;
  section.part('verify').setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch('/api/v1/admin/audit/verify', { method: 'POST' });
    if (!answer.ok) throw new Error(String(answer.status));
    await look();
  } catch {
    section.part('verify').setAttribute('aria-busy', 'false');
    section
      .part('result')
      .replaceChildren(
        notice('warn', 'alert', 'The log was not verified: the server refused or did not answer. Try again.'),
      );
  }
});

if (section.root) look();
