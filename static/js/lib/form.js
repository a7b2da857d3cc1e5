/** Forms that wait for the core's answer. */
import { input, say, slot } from './dom.js';

/**
 * Sends a command for a form and shows the wait, or what went wrong beside the fields.
 * @param {import('../types.js').Context} context
 * @param {HTMLElement} form
 * @param {import('../types.js').Command} command
 * @param {string} [done] the event that means success; without one the view itself goes away
 * @param {(event: any) => void} [then]
 * @param {string[]} [during] whose failures are its own, where that is more than the command
 */
export function submit(context, form, command, done, then, during = [command.c]) {
  const error = slot(form, 'error');
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button:not([type="button"])'));
  if (button.getAttribute('aria-busy') === 'true') return;
  say(error, '');
  button.setAttribute('aria-busy', 'true');
  /** @type {(() => void)[]} */
  const ends = [];
  const finish = () => {
    button.removeAttribute('aria-busy');
    for (const end of ends) end();
  };
  ends.push(
    context.state.on('failed', (failed) => {
      if (!during.includes(failed.during)) return false;
      finish();
      // A view may have said it in its own words.
      if (form.isConnected && error.hidden) say(error, failed.text);
      return true;
    }),
  );
  if (done)
    ends.push(
      context.state.on(done, (event) => {
        finish();
        then?.(event);
      }),
    );
  else
    ends.push(
      context.state.on('state', (event) => {
        if (event.state !== 'starting') finish();
      }),
    );
  context.send(command);
}

/**
 * Says what is missing and puts the cursor there.
 * @param {HTMLElement} form
 * @param {HTMLInputElement} field
 * @param {string} text
 */
export function complain(form, field, text) {
  wrong(form, field, text);
  field.focus();
}

/**
 * Says what is wrong with a field until it is changed, and leaves the cursor where it is.
 * @param {HTMLElement} form
 * @param {HTMLInputElement} field
 * @param {string} text
 */
export function wrong(form, field, text) {
  say(slot(form, 'error'), text);
  field.setAttribute('aria-invalid', 'true');
  field.addEventListener(
    'input',
    () => {
      right(field);
      say(slot(form, 'error'), '');
    },
    { once: true },
  );
}

/** @param {HTMLInputElement} field */
export function right(field) {
  field.removeAttribute('aria-invalid');
}

/**
 * The buttons that show or hide a passphrase while it is typed.
 * @param {HTMLElement} root
 */
export function showButtons(root) {
  root.addEventListener('click', (event) => {
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
