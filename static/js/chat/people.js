/** Finding, inviting and asking people; and the question before something that cannot be undone. */
import { actions, avatar, clone, input, picture, say, slot } from '../lib/dom.js';
import { fullTime } from '../lib/format.js';
import { layer } from '../lib/layers.js';
import { closePopover } from '../lib/popover.js';
import { copy, overDialogs, toast } from '../lib/say.js';
import { Subscriptions } from '../lib/state.js';

/** @typedef {import('../types.js').Context} Context */

/**
 * Shows a dialog until it is closed.
 * @param {string} template
 * @param {() => void} [closed]
 */
export function openDialog(template, closed) {
  const dialog = /** @type {HTMLDialogElement} */ (clone(template));
  // What was pressed in a menu gives the focus back to the menu's button, which is there when the dialog goes.
  closePopover();
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  document.body.append(dialog);
  const over = layer(() => dialog.close());
  dialog.addEventListener('close', () => {
    over();
    dialog.remove();
    overDialogs();
    if (before?.isConnected && document.activeElement === document.body) before.focus({ preventScroll: true });
    closed?.();
  });
  dialog.addEventListener('pointerdown', (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener('click', (event) => {
    if (/** @type {Element} */ (event.target).closest('[data-action="close"]')) dialog.close();
  });
  dialog.showModal();
  overDialogs();
  return dialog;
}

/**
 * @param {{title: string, text: string, yes: string, no?: string}} words
 * @param {() => void} run
 * @param {() => void} [refused] the person said no; closing the dialog says nothing
 */
export function confirmDialog(words, run, refused) {
  const dialog = openDialog('view-confirm');
  slot(dialog, 'title').textContent = words.title;
  slot(dialog, 'text').textContent = words.text;
  slot(dialog, 'yes').textContent = words.yes;
  if (words.no) /** @type {HTMLElement} */ (dialog.querySelector('[data-action="no"]')).textContent = words.no;
  actions(dialog, {
    no: () => {
      dialog.close();
      refused?.();
    },
    yes: () => {
      dialog.close();
      run();
    },
  });
  /** @type {HTMLElement} */ (dialog.querySelector('[data-action="no"]')).focus();
}

/** @type {Record<string, string>} */
const RELATIONS = {
  self: 'That is you.',
  requested: 'You have asked already. The chat is in your list.',
  contact: 'You know each other. The chat is in your list.',
  asking: 'They have asked you: see Requests.',
  blocked: 'You have blocked them. Unblock them in the settings first.',
};

/**
 * @param {Context} context
 * @param {(chat: string) => void} open
 */
export function newChatDialog(context, open) {
  const subscriptions = new Subscriptions();
  const dialog = openDialog('view-new-chat', () => subscriptions.stop());
  const find = /** @type {HTMLElement} */ (dialog.querySelector('[data-form="find"]'));
  const found = slot(dialog, 'found');
  const error = slot(find, 'error');
  const field = input(find, '[name="handle"]');
  /** @type {import('../types.js').Person | null} */
  let person = null;
  let asked = '';
  let opened = '';
  actions(dialog, {
    invite: () => {
      dialog.close();
      inviteDialog(context);
    },
  });
  find.addEventListener('submit', (event) => {
    event.preventDefault();
    found.hidden = true;
    say(error, '');
    asked = field.value.trim().replace(/^@/, '');
    if (asked === '') say(error, 'Type a handle, for example alice.');
    else context.send({ c: 'lookup', handle: asked });
  });
  found.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!person) return;
    opened = person.user_id;
    if (person.relation === 'contact' || person.relation === 'requested') {
      dialog.close();
      open(opened);
      return;
    }
    context.send({
      c: 'request_contact',
      handle: person.handle,
      greeting: input(found, '#find-greeting').value.trim(),
    });
  });
  subscriptions.add(
    context.state.on('looked_up', (event) => {
      if (event.handle.toLowerCase() !== asked.toLowerCase()) return;
      person = event.person;
      if (!person) {
        say(error, `Nobody here is called “${asked}”. Check the spelling, or invite them with a link.`);
        return;
      }
      found.hidden = false;
      slot(found, 'avatar').replaceChildren(avatar(person.user_id, person.alias || person.handle));
      slot(found, 'name').textContent = person.alias || person.handle;
      slot(found, 'handle').textContent = RELATIONS[person.relation] ?? `@${person.handle}`;
      const ask = /** @type {HTMLButtonElement} */ (slot(found, 'ask'));
      const known = person.relation === 'contact' || person.relation === 'requested';
      ask.textContent = known ? 'Open the chat' : 'Ask to talk';
      ask.hidden = ['self', 'blocked', 'asking'].includes(person.relation);
      slot(found, 'greeting-field').hidden = person.relation !== 'none';
      (ask.hidden ? field : known ? ask : input(found, '#find-greeting')).focus();
    }),
    context.state.on('chats', () => {
      if (opened === '' || !context.state.chat(opened)) return;
      dialog.close();
      open(opened);
    }),
    context.state.on('failed', (failed) => {
      if (failed.during !== 'lookup' && failed.during !== 'request_contact') return false;
      say(error, failed.text);
      return true;
    }),
  );
  field.focus();
}

/** @param {Context} context */
export function inviteDialog(context) {
  const subscriptions = new Subscriptions();
  const dialog = openDialog('view-invite-link', () => subscriptions.stop());
  const field = input(dialog, '#invite-link');
  actions(dialog, {
    copy: () => {
      if (field.value) void copy(field.value, 'Link');
    },
  });
  field.addEventListener('focus', () => field.select());
  subscriptions.add(
    context.state.on('invite_created', (event) => {
      field.value = new URL(event.link, location.origin).href;
      if (event.qr_svg) slot(dialog, 'qr').replaceChildren(picture(event.qr_svg, 'The invite link as a QR code'));
      else slot(dialog, 'qr').hidden = true;
      slot(dialog, 'until').textContent =
        `Works until ${fullTime(event.expires_at * 1000)}. You can withdraw it in the settings.`;
    }),
    context.state.on('failed', (failed) => {
      if (failed.during !== 'create_invite') return false;
      slot(dialog, 'qr').hidden = true;
      say(slot(dialog, 'error'), failed.text);
      return true;
    }),
  );
  slot(dialog, 'closed').hidden = context.state.server?.registration !== 'closed';
  context.send({ c: 'create_invite' });
}

/**
 * What an invite link did.
 * @param {Context} context
 * @param {(chat: string) => void} open
 */
export function watchInvites(context, open) {
  const own = context.state.on('failed', (failed) => {
    if (failed.during !== 'open_invite' || failed.code !== 'that-is-you') return false;
    toast('That is your own invite link. Send it to the person whom you want to talk to.');
    return true;
  });
  const opened = context.state.on('invite_opened', (event) => {
    if (!event.added) return;
    const arrive = () => {
      const chat = context.state.chat(event.user_id);
      if (!chat) return false;
      const name = chat.alias || 'whoever invited you';
      open(event.user_id);
      // Whoever invited still has to answer, unless they know each other already.
      toast(
        `${chat.relation === 'requested' ? `You have asked ${name} to talk. Your request waits for an answer.` : `You are connected with ${name}.`} The keys are the ones in the invite link.`,
      );
      return true;
    };
    if (arrive()) return;
    const end = context.state.on('chats', () => {
      if (arrive()) end();
    });
  });
  return () => {
    own();
    opened();
  };
}
