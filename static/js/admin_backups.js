/** Backups on the administration page: where they go, how old the newest is, one now. */

/**
 * @typedef {{ kind: string, phase: string, done: number, total: number }} Job
 * @typedef {{ id: string, kind: string, created_at: number, bytes: number, key_inside: boolean, trouble: string | null }} Backup
 * @typedef {{ target: string | null, keep: string, running: Job | null, last_success: number | null, trouble: string | null, next_due: number | null, count: number, backups: Backup[] }} Backups
 */

const BUSY_MS = 500;
const IDLE_MS = 15_000;
/** Rows that are shown. */
const SHOWN = 10;

const section = /** @type {HTMLElement | null} */ (document.querySelector('[data-backups]'));

/** @template {HTMLElement} T */
const part = (/** @type {string} */ name) => /** @type {T} */ (section?.querySelector(`[data-backups-${name}]`));

const moment = (/** @type {number} */ seconds) =>
  new Date(seconds * 1000).toLocaleString(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

const size = (/** @type {number} */ count) => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = count > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(count) / 10)) : 0;
  return `${(count / 1024 ** step).toFixed(step > 0 ? 1 : 0)} ${units[step]}`;
};

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
  const line = document.createElement('tr');
  line.dataset.testid = 'backup';
  const notes = [backup.key_inside ? 'key inside' : '', backup.trouble ?? ''].filter((note) => note !== '').join(', ');
  for (const text of [moment(backup.created_at), backup.kind, size(backup.bytes), notes]) {
    const cell = document.createElement('td');
    cell.textContent = text;
    line.append(cell);
  }
  return line;
};

/** @param {Backups} backups */
const draw = (backups) => {
  const { running } = backups;
  part('about').textContent = describe(backups);
  part('job').hidden = running === null;
  if (running) {
    part('what').textContent = PHASES[running.phase] ?? running.phase;
    const bar = /** @type {HTMLProgressElement} */ (section?.querySelector('progress'));
    bar.max = Math.max(running.done, running.total, 1);
    bar.value = running.done;
  }
  const status = backups.trouble && !running ? `The last backup failed: ${backups.trouble}` : '';
  if (part('status').textContent !== status) part('status').textContent = status;
  for (const button of section?.querySelectorAll('button') ?? []) button.disabled = running !== null || backups.target === null;
  part('list').hidden = backups.backups.length === 0;
  section?.querySelector('tbody')?.replaceChildren(...backups.backups.slice(0, SHOWN).map(row));
  return running !== null;
};

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

const look = async () => {
  clearTimeout(timer);
  let running = false;
  try {
    const answer = await fetch('/api/v1/admin/backups', { headers: { accept: 'application/json' } });
    if (answer.ok) running = draw(await answer.json());
    else part('status').textContent = 'The backups cannot be shown now. Reload the page.';
  } catch {
    part('status').textContent = 'The server does not answer. It is asked again.';
  }
  timer = setTimeout(look, running ? BUSY_MS : IDLE_MS);
};

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-backups-begin]'))) {
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      const answer = await fetch('/api/v1/admin/backups', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ full: button.dataset.backupsBegin === 'full' }),
      });
      if (!answer.ok) {
        const problem = await answer.json();
        part('status').textContent = problem.detail;
        button.disabled = false;
        return;
      }
    } catch {
      part('status').textContent = 'The server does not answer. Nothing was begun.';
      button.disabled = false;
    }
    await look();
  });
}

if (section) look();

export {};
