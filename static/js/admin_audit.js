/** Verifies the audit log in place, and marks the records that were verified. */

/**
 * @typedef {{ whole: boolean, at: number, records: number, from: number, to: number, heads: number, vouched: number, findings: string[] }} Verified
 * @typedef {{ running: boolean, done: number, total: number, last: Verified | null }} Verification
 * @typedef {{ number: number, record_id: number, hash: string, timestamp: number }} Head
 * @typedef {{ key: string, head: Head | null, newest_record: number, verification: Verification }} Proof
 */

const BUSY_MS = 300;

const section = /** @type {HTMLElement | null} */ (document.querySelector('[data-proof]'));

const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (section?.querySelector(`[data-proof-${name}]`));

const moment = (/** @type {number} */ seconds) =>
  new Date(seconds * 1000).toLocaleString(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

const count = (/** @type {number} */ number, /** @type {string} */ what) => `${number.toLocaleString()} ${what}${number === 1 ? '' : 's'}`;

/**
 * A line with an icon of the page's sprite.
 * @param {string} kind
 * @param {string} name
 * @param {(string | HTMLElement)[]} content
 */
const notice = (kind, name, ...content) => {
  const line = document.createElement('div');
  line.className = `notice notice--${kind}`;
  const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  icon.setAttribute('class', 'icon');
  icon.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${name}`);
  icon.append(use);
  const text = document.createElement('div');
  text.append(...content);
  line.append(icon, text);
  return line;
};

/** @param {Verified} verified */
const result = (verified) => {
  if (!verified.whole) {
    const list = document.createElement('ul');
    for (const finding of verified.findings) {
      const item = document.createElement('li');
      item.textContent = `${finding[0].toUpperCase()}${finding.slice(1)}.`;
      list.append(item);
    }
    return notice('danger', 'alert', `The log was tampered with. Checked ${moment(verified.at)}.`, list);
  }
  const rest = verified.to - verified.vouched;
  const tail = rest > 0 ? ` ${count(rest, 'newer record')} will be under the next head.` : '';
  return notice('info', 'verified', `Nothing was changed, removed or put in between. ${count(verified.records, 'record')} and ${count(verified.heads, 'signed head')} were checked ${moment(verified.at)}.${tail}`);
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
  if (proof.head) part('head').textContent = `The newest signed head vouches for every record up to ${proof.head.record_id.toLocaleString()}. It was signed ${moment(proof.head.timestamp)}.`;
  part('progress').hidden = !running;
  if (running) {
    part('what').textContent = `Reading record ${done.toLocaleString()} of ${Math.max(done, total).toLocaleString()}`;
    const bar = /** @type {HTMLProgressElement} */ (section?.querySelector('progress'));
    bar.max = Math.max(done, total, 1);
    bar.value = done;
  }
  part('verify').setAttribute('aria-busy', String(running));
  part('result').replaceChildren(...(last && !running ? [result(last)] : []));
  if (!running) mark(last);
  return running;
};

const look = async () => {
  try {
    const answer = await fetch('/api/v1/admin/audit/proof', { headers: { accept: 'application/json' } });
    if (!answer.ok) throw new Error(String(answer.status));
    if (draw(await answer.json())) setTimeout(look, BUSY_MS);
  } catch {
    part('verify').setAttribute('aria-busy', 'false');
    part('result').replaceChildren(notice('warn', 'alert', 'The server does not say how far it is. Reload the page.'));
  }
};

part('verify')?.addEventListener('click', async () => {
  if (part('verify').getAttribute('aria-busy') === 'true') return;
  part('verify').setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch('/api/v1/admin/audit/verify', { method: 'POST' });
    if (!answer.ok) throw new Error(String(answer.status));
    await look();
  } catch {
    part('verify').setAttribute('aria-busy', 'false');
    part('result').replaceChildren(notice('warn', 'alert', 'The log was not verified: the server refused or did not answer. Try again.'));
  }
});

if (section) look();
