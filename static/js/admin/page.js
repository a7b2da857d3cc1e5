/** The administration page is drawn by the server; this makes its figures and times readable. */

import { page } from '../lib/part.js';
import { moment, size } from './section.js';

for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-kind]'))) {
  const value = Number(figure.dataset.value);
  if (figure.dataset.kind === 'time') {
    const at = new Date(`${(figure.dataset.value ?? '').replace(' ', 'T')}Z`);
    if (!Number.isNaN(at.getTime())) figure.textContent = moment(at.getTime() / 1000);
    continue;
  }
  if (figure.dataset.value === '' || Number.isNaN(value)) continue;
  if (figure.dataset.kind === 'bytes') figure.textContent = size(value);
  if (figure.dataset.kind === 'count') figure.textContent = value.toLocaleString();
}

// A page that the browser kept to go back to may be somebody's who has signed out since.
page.listen(window, 'pageshow', ({ persisted }) => {
  if (persisted) location.reload();
});
