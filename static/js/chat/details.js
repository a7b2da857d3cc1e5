/** The pane beside a conversation: who it is, the safety number, this chat's rules; and people who ask to talk. */
import { avatar, clone, cloneAll, h, icon, picture, slot } from '../lib/dom.js';
import { confirmDialog } from '../lib/dialog.js';
import { burnText, duration } from '../lib/format.js';
import { View } from '../lib/part.js';

/** @typedef {import('../types.js').Context} Context */

const BLOCKED = 'Nothing of theirs reaches you any more, and they are not told. You can unblock them in the settings.';

/** @param {import('../types.js').Chat} chat */
function verifyLead(chat) {
  if (chat.verified)
    return 'You have compared these digits. If they ever change, you are asked before the next message goes out.';
  if (chat.linked)
    return 'The invite link that you came by named these keys. Comparing the digits, in person or on a call, also shows whether somebody changed the link on its way.';
  return 'Compare these digits with what the other person sees, in person or on a call. If they are equal, nobody sits in between.';
}

export class Details extends View {
  #id;
  #then;

  /**
   * @param {Context} context
   * @param {string} id
   * @param {{close: () => void, decided: (what: string) => void}} then
   * @param {import('../lib/part.js').Part} owner
   */
  constructor(context, id, then, owner) {
    super(context, h('div', { class: 'details__root' }, cloneAll('view-details')), owner);
    this.#id = id;
    this.#then = then;
    this.#show();
    this.actions(this.node, {
      'close-details': then.close,
      verify: (target) => this.send({ c: 'set_verified', chat: id, verified: target.dataset.verified !== 'true' }),
      remove: () =>
        confirmDialog(
          {
            title: 'Remove this chat?',
            text: 'Its messages are wiped here and the person is no longer a contact. The other side keeps what it has until its timers end.',
            yes: 'Remove',
          },
          () => this.#decide('The chat is removed.', 'remove_contact'),
        ),
      block: () =>
        confirmDialog({ title: 'Block this person?', text: BLOCKED, yes: 'Block' }, () =>
          this.#decide('The person is blocked. You can unblock them in the settings.', 'block'),
        ),
    });
    for (const [name, rule] of [
      ['receipts', 'receipts'],
      ['muted', 'muted'],
      ['live-only', 'live_only'],
    ]) {
      const box = this.#box(name);
      this.listen(box, 'change', () => this.send({ c: 'set_chat', chat: id, [rule]: box.checked }));
    }
    this.on('chats', () => this.#show());
    this.on('settings', () => this.#show());
    this.on('safety_number', (event) => {
      if (event.chat !== id) return;
      slot(this.node, 'qr').replaceChildren(picture(event.qr_svg, 'The safety number as a QR code'));
      const groups = event.groups.map((/** @type {string} */ group) => h('li', {}, group));
      slot(this.node, 'groups').replaceChildren(...groups);
    });
    this.send({ c: 'safety_number', chat: id });
  }

  /** @param {string} name */
  #box(name) {
    return /** @type {HTMLInputElement} */ (slot(this.node, name));
  }

  /** @param {string} what @param {string} command */
  #decide(what, command) {
    this.#then.decided(what);
    this.send({ c: command, chat: this.#id });
  }

  #show() {
    const chat = this.state.chat(this.#id);
    if (!chat) return;
    const { node } = this;
    const { settings } = this.state;
    const name = chat.alias || chat.handle;
    slot(node, 'avatar').replaceChildren(avatar(this.#id, name, 'lg'));
    slot(node, 'name').replaceChildren(name);
    slot(node, 'handle').textContent = `@${chat.handle}`;
    this.#box('receipts').checked = chat.receipts ?? settings.receipts;
    this.#box('muted').checked = chat.muted;
    this.#box('live-only').checked = chat.live_only;
    slot(node, 'burn').textContent = burnText(chat.burn ?? settings.burn);
    slot(node, 'life').textContent = `Goes after ${duration(chat.life_secs ?? settings.life_secs)}`;
    const button = /** @type {HTMLElement} */ (node.querySelector('[data-action="verify"]'));
    button.className = chat.verified ? 'button button--line button--wide' : 'button button--wide';
    button.dataset.verified = String(chat.verified);
    button.replaceChildren(
      icon(chat.verified ? 'close' : 'verified', 'icon--sm'),
      chat.verified ? 'Remove the verified mark' : 'Equal: mark as verified',
    );
    slot(node, 'verify-lead').textContent = verifyLead(chat);
  }
}

/**
 * Their first line; there is none while only another session of ours has opened it.
 * @param {ParentNode} node
 * @param {import('../types.js').Request} request
 */
export function drawGreeting(node, request) {
  slot(node, 'other-keys').hidden = !request.key_changed;
  slot(node, 'greeting').textContent = request.greeting;
}

/** A person who asks to talk. */
export class RequestPane extends View {
  /**
   * @param {Context} context
   * @param {import('../types.js').Request} request
   * @param {{back: () => void, accepted: () => void, decided: (what: string) => void}} then
   * @param {import('../lib/part.js').Part} owner
   */
  constructor(context, request, then, owner) {
    super(context, clone('view-request'), owner);
    const { node } = this;
    const { chat } = request;
    const name = request.alias || request.handle;
    slot(node, 'avatar').append(avatar(chat, name));
    slot(node, 'name').textContent = name;
    slot(node, 'handle').textContent =
      `@${request.handle} ${request.by_link ? 'came by your invite link' : 'wants to talk to you'}`;
    drawGreeting(node, request);
    this.actions(node, {
      back: then.back,
      accept: () => {
        this.send({ c: 'accept_request', chat });
        then.accepted();
      },
      refuse: () => {
        then.decided('The request is deleted. They are not told.');
        this.send({ c: 'refuse_request', chat });
      },
      block: () =>
        confirmDialog({ title: `Block ${name}?`, text: BLOCKED, yes: 'Block' }, () => {
          then.decided(`${name} is blocked. You can unblock them in the settings.`);
          this.send({ c: 'block', chat });
        }),
    });
  }

  /** @override */
  focus() {
    const accept = /** @type {HTMLElement | null} */ (this.node.querySelector('[data-action="accept"]'));
    accept?.focus({ preventScroll: true });
  }
}
