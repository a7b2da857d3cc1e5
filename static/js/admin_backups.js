/** Backups on the administration page: where they go, how old the newest is, one now. */

import { moment, Section, size, watch } from './admin_job.js';
import { h } from './lib/dom.js';

/**
 * @typedef {{ kind: string, phase: string, done: number, total: number }} Job
 * @typedef {{ id: string, kind: string, created_at: number, bytes: number, key_inside: boolean, trouble: string | null }} Backup
 * @typedef {{ target: string | null, keep: string, running: Job | null, last_success: number | null, trouble: string | null, next_due: number | null, count: number, backups: Backup[] }} Backups
 */

/** Rows that are shown. */
const SHOWN = 10;

const section = new Section('backups');

/** @type {Record<string, string>} */
const PHASES = {
  waiting: 'Beginning',
  copying: 'Copying the database',
  writing: 'Sealing and sending',
  verifying: 'Reading back and verifying',
};

/** @param {Backups} backups */
const describe = (backups) => {
  if (backups.target === null) {
    return 'There are no backups: nobody said where they go. Set backup_target to a folder or a bucket and start the server again.';
  }
  const newest = backups.last_success === null ? 'There is none yet.' : `The newest is of ${moment(backups.last_success)}.`;
  const next = backups.next_due === null ? '' : ` The next begins by itself at ${moment(backups.next_due)}.`;
  return `Backups go to ${backups.target}. ${newest}${next} Kept: ${backups.keep}, ${backups.count.toLocaleString()} now.`;
};

/** @param {Backup} backup */
const row = (backup) => {
  const notes = [backup.key_inside ? 'key inside' : '', backup.trouble ?? ''].filter((note) => note !== '').join(', ');
  const cells = [moment(backup.created_at), backup.kind, size(backup.bytes), notes];
  return h('tr', { 'data-testid': 'backup' }, ...cells.map((text) => h('td', {}, text)));
};

/** @param {Backups} backups */
const draw = (backups) => {
  const { running } = backups;
  section.part('about').textContent = describe(backups);
  section.part('job').hidden = running === null;
  if (running) {
    section.part('what').textContent = PHASES[running.phase] ?? running.phase;
    section.progress(running.done, running.total);
  }
  const status = backups.trouble && !running ? `The last backup failed: ${backups.trouble}` : '';
  section.say(status);
  section.disable(running !== null || backups.target === null);
  section.part('list').hidden = backups.backups.length === 0;
  section.root?.querySelector('tbody')?.replaceChildren(...backups.backups.slice(0, SHOWN).map(row));
  return running !== null;
};

watch(section, '/api/v1/admin/backups', draw, (wish) =>
  fetch('/api/v1/admin/backups', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ full: wish === 'full' }),
  }),
);
