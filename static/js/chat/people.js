/** Finding, inviting and asking people. */
import { avatar, input, picture, say, slot } from '../lib/dom.js';
import { Dialog } from '../lib/dialog.js';
import { fullTime } from '../lib/format.js';
import { Part } from '../lib/part.js';
import { copy, toast } from '../lib/say.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../types.js').Person} Person
 */

/** @type {Record<string, string>} */
const RELATIONS = {
  self: 'That is you.',
  requested: 'You have asked already. The chat is in your list.',
  contact: 'You know each other. The chat is in your list.',
  asking: 'They have asked you: see Requests.',
  blocked: 'You have blocked them. Unblock them in the settings first.',
};

/** @param {Person | null} person */
const isKnown = (person) => person?.relation === 'contact' || person?.relation === 'requested';

export class NewChat extends Dialog {
  #context;
  #open;
  #found;
  #error;
  #field;
  /** @type {Person | null} */
  #person = null;
  #asked = '';
  #opened = '';

  /**
   * @param {Context} context
   * @param {(chat: string) => void} open
   */
  constructor(context, open) {
    super('view-new-chat');
    this.#context = context;
    this.#open = open;
    const find = /** @type {HTMLElement} */ (this.node.querySelector('[data-form="find"]'));
    this.#found = slot(this.node, 'found');
    this.#error = slot(find, 'error');
    this.#field = input(find, '[name="handle"]');
    this.actions(this.node, {
      invite: () => {
        this.close();
        new InviteLink(context);
      },
    });
    this.listen(find, 'submit', (event) => {
      event.preventDefault();
      this.#find();
    });
    this.listen(this.#found, 'submit', (event) => {
      event.preventDefault();
      this.#ask();
    });
    const { state } = context;
    state.on('looked_up', (event) => this.#lookedUp(event), this.signal);
    state.on('chats', () => state.chat(this.#opened) && this.#arrive(), this.signal);
    const failed = (/** @type {import('../types.js').FailedEvent} */ event) => {
      if (event.during !== 'lookup' && event.during !== 'request_contact') return false;
      say(this.#error, event.text);
      return true;
    };
    state.on('failed', failed, this.signal);
    this.#field.focus();
  }

  #find() {
    this.#found.hidden = true;
    say(this.#error, '');
    this.#asked = this.#field.value.trim().replace(/^@/, '');
    if (this.#asked === '') say(this.#error, 'Type a handle, for example alice.');
    else this.#context.send({ c: 'lookup', handle: this.#asked });
  }

  #ask() {
    if (!this.#person) return;
    this.#opened = this.#person.user_id;
    if (isKnown(this.#person)) {
      this.#arrive();
      return;
    }
    const greeting = input(this.#found, '#find-greeting').value.trim();
    this.#context.send({ c: 'request_contact', handle: this.#person.handle, greeting });
  }

  #arrive() {
    this.close();
    this.#open(this.#opened);
  }

  /** @param {{handle: string, person: Person | null}} event */
  #lookedUp({ handle, person }) {
    if (handle.toLowerCase() !== this.#asked.toLowerCase()) return;
    this.#person = person;
    if (!person) {
      say(this.#error, `Nobody here is called “${this.#asked}”. Check the spelling, or invite them with a link.`);
      return;
    }
    const found = this.#found;
    const name = person.alias || person.handle;
    const known = isKnown(person);
    const ask = /** @type {HTMLButtonElement} */ (slot(found, 'ask'));
    found.hidden = false;
    slot(found, 'avatar').replaceChildren(avatar(person.user_id, name));
    slot(found, 'name').textContent = name;
    slot(found, 'handle').textContent = RELATIONS[person.relation] ?? `@${person.handle}`;
    ask.textContent = known ? 'Open the chat' : 'Ask to talk';
    ask.hidden = ['self', 'blocked', 'asking'].includes(person.relation);
    slot(found, 'greeting-field').hidden = person.relation !== 'none';
    (ask.hidden ? this.#field : known ? ask : input(found, '#find-greeting')).focus();
  }
}

export class InviteLink extends Dialog {
  #field;

  /** @param {Context} context */
  constructor({ state, send }) {
    super('view-invite-link');
    this.#field = input(this.node, '#invite-link');
    this.actions(this.node, {
      copy: () => {
        if (this.#field.value) void copy(this.#field.value, 'Link');
      },
    });
    this.listen(this.#field, 'focus', () => this.#field.select());
    state.on('invite_created', (event) => this.#show(event), this.signal);
    const failed = (/** @type {import('../types.js').FailedEvent} */ event) => {
      if (event.during !== 'create_invite') return false;
      slot(this.node, 'qr').hidden = true;
      say(slot(this.node, 'error'), event.text);
      return true;
    };
    state.on('failed', failed, this.signal);
    slot(this.node, 'closed').hidden = state.server?.registration !== 'closed';
    send({ c: 'create_invite' });
  }

  /** @param {{link: string, qr_svg: string | null, expires_at: number}} invite */
  #show({ link, qr_svg: svg, expires_at: until }) {
    const qr = slot(this.node, 'qr');
    this.#field.value = new URL(link, location.origin).href;
    if (svg) qr.replaceChildren(picture(svg, 'The invite link as a QR code'));
    else qr.hidden = true;
    slot(this.node, 'until').textContent =
      `Works until ${fullTime(until * 1000)}. You can withdraw it in the settings.`;
  }
}

/**
 * Tells what an invite link did.
 * @param {Part} owner
 * @param {Context} context
 * @param {(chat: string) => void} open
 */
export function watchInvites(owner, { state }, open) {
  const failed = (/** @type {import('../types.js').FailedEvent} */ event) => {
    if (event.during !== 'open_invite' || event.code !== 'that-is-you') return false;
    toast('That is your own invite link. Nothing was done with it: send it to the person whom you want to talk to.');
    return true;
  };
  state.on('failed', failed, owner.signal);
  const opened = (/** @type {{added: boolean, user_id: string}} */ event) => {
    if (!event.added) return;
    const before = state.chat(event.user_id)?.relation;
    const wait = new Part(owner);
    const arrive = () => {
      const chat = state.chat(event.user_id);
      if (!chat) return;
      wait.stop();
      const name = chat.alias || 'whoever invited you';
      open(event.user_id);
      // Whoever invited still has to answer, unless they know each other already.
      const asked = `You have asked ${name} to talk. Your request waits for an answer.`;
      const known = `You know ${name} already, so the link was not used.`;
      const connected = before === 'contact' ? known : `You are connected with ${name}.`;
      toast(`${chat.relation === 'requested' ? asked : connected} The keys are the ones in the invite link.`);
    };
    state.on('chats', arrive, wait.signal);
    arrive();
  };
  state.on('invite_opened', opened, owner.signal);
}
