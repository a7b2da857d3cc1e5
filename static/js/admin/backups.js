/** Backups on the administration page: where they go, how old the newest is, one now. */

import { h } from '../lib/dom.js';
import { JobSection, moment, size } from './section.js';

/** Rows that are shown. */
const SHOWN = 10;

/** @type {Record<string, string>} */
const PHASES = {
  waiting: 'Beginning',
  copying: 'Copying the database',
  writing: 'Sealing and sending',
  verifying: 'Reading back and verifying',
};

/** @type {Record<string, [string, string]>} */
const KEPT = {
  h: ['every backup of the last hour', 'every backup of the last # hours'],
  d: ['the newest of the last day', 'one of each of the last # days'],
  w: ['the newest of the last week', 'one of each of the last # weeks'],
  m: ['the newest of the last month', 'one of each of the last # months'],
};

/** `48h 7d` in words. @param {string} policy */
const kept = (policy) => {
  const parts = policy
    .split(' ')
    .map((part) => [Number.parseInt(part, 10), KEPT[part.slice(-1)]])
    .filter(([count, words]) => words && Number(count) > 0);
  const told = parts.map(([count, words]) =>
    /** @type {[string, string]} */ (words)[count === 1 ? 0 : 1].replace('#', String(count)),
  );
  return told.length < 2 ? told.join('') : `${told.slice(0, -1).join(', ')} and ${told.at(-1)}`;
};

/** @param {import('../api.js').Backups} backups */
const describe = (backups) => {
  if (backups.target === null) {
    return 'There are no backups: nobody said where they go. Set backup_target to a folder or a bucket and start the server again.';
  }
  const newest =
    backups.last_success === null ? 'There is none yet.' : `The newest is of ${moment(backups.last_success)}.`;
  const next = backups.next_due === null ? '' : ` The next begins by itself at ${moment(backups.next_due)}.`;
  const count = backups.count === 1 ? 'is 1 backup' : `are ${backups.count.toLocaleString()} backups`;
  return `Backups go to ${backups.target}. ${newest}${next} The server keeps ${kept(backups.keep)}. There ${count}.`;
};

/** @param {import('../api.js').Backup} backup */
const row = (backup) => {
  const notes = [backup.key_inside ? 'key inside' : '', backup.trouble ?? ''].filter((note) => note !== '').join(', ');
  const cells = [moment(backup.created_at), backup.kind, size(backup.bytes), notes];
  return h('tr', { 'data-testid': 'backup' }, ...cells.map((text) => h('td', {}, text)));
};

class BackupsSection extends JobSection {
  constructor() {
    super('backups', '/api/v1/admin/backups');
  }

  /** @override @param {import('../api.js').Backups} backups */
  draw(backups) {
    const { running, trouble } = backups;
    this.part('about').textContent = describe(backups);
    this.part('job').hidden = running === null;
    if (running) {
      this.part('what').textContent = PHASES[running.phase] ?? running.phase;
      this.progress(running.done, running.total);
    }
    this.say(trouble && !running ? `The last backup failed: ${trouble}` : '');
    this.disable(running !== null || backups.target === null);
    this.part('list').hidden = backups.backups.length === 0;
    this.root?.querySelector('tbody')?.replaceChildren(...backups.backups.slice(0, SHOWN).map(row));
    return running !== null;
  }

  /** @override @param {string} wish */
  begin(wish) {
    return fetch('/api/v1/admin/backups', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ full: wish === 'full' }),
    });
  }
}

new BackupsSection();
