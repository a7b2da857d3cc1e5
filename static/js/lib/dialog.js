/** Dialogs: what lies over the view until it is answered or closed. */
import { clone, slot } from './dom.js';
import { layer } from './layers.js';
import { Part } from './part.js';
import { closePopover } from './popover.js';
import { overDialogs } from './say.js';

export class Dialog extends Part {
  /** @type {HTMLDialogElement} */
  node;

  /**
   * Shows it until it is closed.
   * @param {string} template
   */
  constructor(template) {
    super();
    const dialog = /** @type {HTMLDialogElement} */ (clone(template));
    this.node = dialog;
    // What was pressed in a menu gives the focus back to the menu's button, which is there when the dialog goes.
    closePopover();
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    document.body.append(dialog);
    const over = layer(() => dialog.close());
    this.listen(dialog, 'close', () => {
      over();
      dialog.remove();
      overDialogs();
      if (before?.isConnected && document.activeElement === document.body) before.focus({ preventScroll: true });
      this.stop();
    });
    this.listen(dialog, 'pointerdown', (event) => {
      if (event.target === dialog) dialog.close();
    });
    this.actions(dialog, { close: () => dialog.close() });
    dialog.showModal();
    overDialogs();
  }

  close() {
    this.node.close();
  }
}

/**
 * The question before something that cannot be undone.
 * @param {{title: string, text: string, yes: string, no?: string}} words
 * @param {() => void} run
 * @param {() => void} [refused] the person said no; closing the dialog says nothing
 */
export function confirmDialog(words, run, refused) {
  const dialog = new Dialog('view-confirm');
  const no = /** @type {HTMLElement} */ (dialog.node.querySelector('[data-action="no"]'));
  slot(dialog.node, 'title').textContent = words.title;
  slot(dialog.node, 'text').textContent = words.text;
  slot(dialog.node, 'yes').textContent = words.yes;
  if (words.no) no.textContent = words.no;
  dialog.actions(dialog.node, {
    no: () => {
      dialog.close();
      refused?.();
    },
    yes: () => {
      dialog.close();
      run();
    },
  });
  no.focus();
}
