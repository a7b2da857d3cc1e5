/** Keys on the administration page: which one is active, what is being done, how far it is. */

/**
 * @typedef {{ id: string, provider: string, state: string, created_at: number }} Kek
 * @typedef {{ kind: string, finished: boolean, done: number, total: number, finished_at: number | null }} Job
 * @typedef {{ keks: Kek[], job: Job | null, trouble: string | null, next_rotation: number | null }} Keys
 */

const BUSY_MS = 500;
const IDLE_MS = 15_000;

const section = /** @type {HTMLElement | null} */ (document.querySelector('[data-keys]'));

/** @template {HTMLElement} T */
const part = (/** @type {string} */ name) => /** @type {T} */ (section?.querySelector(`[data-keys-${name}]`));

const day = (/** @type {number} */ seconds) =>
  new Date(seconds * 1000).toLocaleDateString(undefined, { day: 'numeric', month: 'long', year: 'numeric' });

/** @param {Keys} keys */
const describe = (keys) => {
  const active = keys.keks.find((kek) => kek.state === 'active');
  if (!active) return '';
  const next = keys.next_rotation ? `It is replaced by itself on ${day(keys.next_rotation)}.` : 'It is not replaced by itself.';
  return `Everything at rest is sealed under key ${active.id.slice(0, 8)} (${active.provider}), made on ${day(active.created_at)}. ${next}`;
};

/** @param {Keys} keys */
const draw = (keys) => {
  const running = keys.job !== null && !keys.job.finished;
  part('active').textContent = describe(keys);
  part('job').hidden = !running;
  if (running && keys.job) {
    const { done, total, kind } = keys.job;
    const what = kind === 'renew' ? 'Sealing everything under new data keys' : 'Moving everything to the new key';
    part('what').textContent = `${what}: ${done.toLocaleString()} of ${Math.max(done, total).toLocaleString()}`;
    const bar = /** @type {HTMLProgressElement} */ (section?.querySelector('progress'));
    bar.max = Math.max(done, total, 1);
    bar.value = done;
  }
  let status = '';
  if (keys.trouble) status = `This does not go on: ${keys.trouble}`;
  else if (keys.job?.finished && keys.job.finished_at) {
    const what = keys.job.kind === 'renew' ? 'Data keys were renewed' : 'The key was replaced';
    status = `${what} on ${day(keys.job.finished_at)}; ${keys.job.done.toLocaleString()} values.`;
  }
  if (part('status').textContent !== status) part('status').textContent = status;
  for (const button of section?.querySelectorAll('button') ?? []) button.disabled = running;
  return running;
};

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

const look = async () => {
  clearTimeout(timer);
  let running = false;
  try {
    const answer = await fetch('/api/v1/admin/keys', { headers: { accept: 'application/json' } });
    if (answer.ok) running = draw(await answer.json());
    else part('status').textContent = 'The keys cannot be shown now. Reload the page.';
  } catch {
    part('status').textContent = 'The server does not answer. It is asked again.';
  }
  timer = setTimeout(look, running ? BUSY_MS : IDLE_MS);
};

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-keys-begin]'))) {
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      const answer = await fetch(`/api/v1/admin/keys/${button.dataset.keysBegin}`, { method: 'POST' });
      if (!answer.ok) {
        const problem = await answer.json();
        part('status').textContent = problem.detail;
        button.disabled = false;
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
