/** Keys on the administration page: which one is active, what is being done, how far it is. */

import { JobSection } from './section.js';

const day = (/** @type {number} */ seconds) =>
  new Date(seconds * 1000).toLocaleDateString(undefined, { day: 'numeric', month: 'long', year: 'numeric' });

/** @param {import('../api.js').Keys} keys */
const describe = (keys) => {
  const active = keys.keks.find((kek) => kek.state === 'active');
  if (!active) return '';
  const next = keys.next_rotation
    ? `It is replaced by itself on ${day(keys.next_rotation)}.`
    : 'It is not replaced by itself.';
  return `Everything at rest is sealed under key ${active.id.slice(0, 8)} (${active.provider}), made on ${day(active.created_at)}. ${next}`;
};

class KeysSection extends JobSection {
  constructor() {
    super('keys', '/api/v1/admin/keys');
  }

  /** @override @param {import('../api.js').Keys} keys */
  draw(keys) {
    const running = keys.job !== null && !keys.job.finished;
    this.part('active').textContent = describe(keys);
    this.part('job').hidden = !running;
    if (running && keys.job) {
      const { done, total, kind } = keys.job;
      const what = kind === 'renew' ? 'Sealing everything under new data keys' : 'Moving everything to the new key';
      this.part('what').textContent = `${what}: ${done.toLocaleString()} of ${Math.max(done, total).toLocaleString()}`;
      this.progress(done, total);
    }
    this.say(status(keys));
    this.disable(running);
    return running;
  }
}

/** @param {import('../api.js').Keys} keys */
const status = ({ trouble, job }) => {
  if (trouble) return `This does not go on: ${trouble}`;
  if (!job?.finished || !job.finished_at) return '';
  const what = job.kind === 'renew' ? 'Data keys were renewed' : 'The key was replaced';
  return `${what} on ${day(job.finished_at)}; ${job.done.toLocaleString()} values.`;
};

new KeysSection();
