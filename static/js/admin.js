/** The administration page is drawn by the server; this makes its figures and times readable. */

const bytes = (/** @type {number} */ count) => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = count > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(count) / 10)) : 0;
  return `${(count / 1024 ** step).toFixed(step > 0 ? 1 : 0)} ${units[step]}`;
};

for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-kind]'))) {
  const value = Number(figure.dataset.value);
  if (figure.dataset.kind === 'time') {
    // The server writes UTC; the figure shows this device's time.
    const at = new Date(`${(figure.dataset.value ?? '').replace(' ', 'T')}Z`);
    if (!Number.isNaN(at.getTime())) figure.textContent = at.toLocaleString(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
    continue;
  }
  if (figure.dataset.value === '' || Number.isNaN(value)) continue;
  if (figure.dataset.kind === 'bytes') figure.textContent = bytes(value);
  if (figure.dataset.kind === 'count') figure.textContent = value.toLocaleString();
}
