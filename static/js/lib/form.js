/** Forms that wait for the core's answer. */
import { input, say, slot } from './dom.js';
import { Part } from './part.js';

/**
 * Sends a command for a form and shows the wait, or what went wrong beside the fields.
 * @param {Part} owner what waits for the answer: the form's view, or the page where the answer is heard after it
 * @param {import('../types.js').Context} context
 * @param {HTMLElement} form
 * @param {import('../types.js').Command} command
 * @param {string} [done] the event that means success; without one the view itself goes away
 * @param {(event: any) => void} [then]
 * @param {string[]} [during] whose failures are its own, where that is more than the command
 */
export function submit(owner, context, form, command, done, then, during = [command.c]) {
  const error = slot(form, 'error');
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button:not([type="button"])'));
  if (button.getAttribute('aria-busy') === 'true') return;
  say(error, '');
  button.setAttribute('aria-busy', 'true');
  const wait = new Part(owner);
  const { state } = context;
  const finish = () => {
    button.removeAttribute('aria-busy');
    wait.stop();
  };
  const failed = (/** @type {import('../types.js').FailedEvent} */ event) => {
    if (!during.includes(event.during)) return false;
    finish();
    // A view may have said it in its own words.
    if (form.isConnected && error.hidden) say(error, event.text);
    return true;
  };
  state.on('failed', failed, wait.signal);
  const succeeded = (/** @type {any} */ event) => {
    if (!done && event.state === 'starting') return;
    finish();
    if (done) then?.(event);
  };
  state.on(done ?? 'state', succeeded, wait.signal);
  context.send(command);
}

/**
 * Says what is missing and puts the cursor there.
 * @param {Part} owner
 * @param {HTMLElement} form
 * @param {HTMLInputElement} field
 * @param {string} text
 */
export function complain(owner, form, field, text) {
  wrong(owner, form, field, text);
  field.focus();
}

/**
 * Says what is wrong with a field until it is changed, and leaves the cursor where it is.
 * @param {Part} owner
 * @param {HTMLElement} form
 * @param {HTMLInputElement} field
 * @param {string} text
 */
export function wrong(owner, form, field, text) {
  const error = slot(form, 'error');
  say(error, text);
  field.setAttribute('aria-invalid', 'true');
  const changed = () => {
    right(field);
    say(error, '');
  };
  owner.listen(field, 'input', changed, { once: true });
}

/** @param {HTMLInputElement} field */
export function right(field) {
  field.removeAttribute('aria-invalid');
}

/**
 * The buttons that show or hide a passphrase while it is typed.
 * @param {Part} owner
 * @param {HTMLElement} root
 */
export function showButtons(owner, root) {
  owner.listen(root, 'click', (event) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-show]'));
    // Of two parts around one button the inner one turns it; twice would be not at all.
    if (!button || event.defaultPrevented) return;
    event.preventDefault();
    const field = input(root, `#${button.dataset.show}`);
    const shown = field.type === 'text';
    field.type = shown ? 'password' : 'text';
    button.setAttribute('aria-pressed', String(!shown));
    button.setAttribute('aria-label', shown ? 'Show the passphrase' : 'Hide the passphrase');
    button.querySelector('use')?.setAttribute('href', shown ? '#i-eye' : '#i-eye-off');
  });
}
