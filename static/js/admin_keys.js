/** Keys on the administration page: which one is active, what is being done, how far it is. */

import { Section, watch } from './admin_job.js';

/**
 * @typedef {{ id: string, provider: string, state: string, created_at: number }} Kek
 * @typedef {{ kind: string, finished: boolean, done: number, total: number, finished_at: number | null }} Job
 * @typedef {{ keks: Kek[], job: Job | null, trouble: string | null, next_rotation: number | null }} Keys
 */

const section = new Section('keys');

const day = (/** @type {number} */ seconds) =>
  new Date(seconds * 1000).toLocaleDateString(undefined, { day: 'numeric', month: 'long', year: 'numeric' });

/** @param {Keys} keys */
const describe = (keys) => {
  const active = keys.keks.find((kek) => kek.state === 'active');
  if (!active) return '';
  const next = keys.next_rotation
    ? `It is replaced by itself on ${day(keys.next_rotation)}.`
    : 'It is not replaced by itself.';
  return `Everything at rest is sealed under key ${active.id.slice(0, 8)} (${active.provider}), made on ${day(active.created_at)}. ${next}`;
};

/** @param {Keys} keys */
const draw = (keys) => {
  const running = keys.job !== null && !keys.job.finished;
  section.part('active').textContent = describe(keys);
  section.part('job').hidden = !running;
  if (running && keys.job) {
    const { done, total, kind } = keys.job;
    const what = kind === 'renew' ? 'Sealing everything under new data keys' : 'Moving everything to the new key';
    section.part('what').textContent = `${what}: ${done.toLocaleString()} of ${Math.max(done, total).toLocaleString()}`;
    section.progress(done, total);
  }
  let status = '';
  if (keys.trouble) status = `This does not go on: ${keys.trouble}`;
  else if (keys.job?.finished && keys.job.finished_at) {
    const what = keys.job.kind === 'renew' ? 'Data keys were renewed' : 'The key was replaced';
    status = `${what} on ${day(keys.job.finished_at)}; ${keys.job.done.toLocaleString()} values.`;
  }
  section.say(status);
  section.disable(running);
  return running;
};

watch(section, '/api/v1/admin/keys', draw, (wish) => fetch(`/api/v1/admin/keys/${wish}`, { method: 'POST' }));
