/** The pane beside a conversation: who it is, the safety number, this chat's rules. */
import { actions, avatar, clone, h, icon, picture, slot } from '../lib/dom.js';
import { burnText, duration } from '../lib/format.js';
import { Subscriptions } from '../lib/state.js';
import { confirmDialog } from './people.js';

/**
 * @param {import('../types.js').Context} context
 * @param {string} id
 * @param {{close: () => void, decided: (what: string) => void}} then
 */
export function detailsPane(context, id, then) {
  const { state, send } = context;
  const node = document.createDocumentFragment();
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById('view-details'));
  node.append(template.content.cloneNode(true));
  const root = h('div', { class: 'details__root' });
  root.append(node);
  const subscriptions = new Subscriptions();
  const receipts = /** @type {HTMLInputElement} */ (slot(root, 'receipts'));
  const muted = /** @type {HTMLInputElement} */ (slot(root, 'muted'));

  const liveOnly = /** @type {HTMLInputElement} */ (slot(root, 'live-only'));

  const show = () => {
    const chat = state.chat(id);
    if (!chat) return;
    const name = chat.alias || chat.handle;
    slot(root, 'avatar').replaceChildren(avatar(id, name, 'lg'));
    slot(root, 'name').replaceChildren(name);
    slot(root, 'handle').textContent = `@${chat.handle}`;
    receipts.checked = chat.receipts ?? state.settings.receipts;
    muted.checked = chat.muted;
    liveOnly.checked = chat.live_only;
    slot(root, 'burn').textContent = burnText(chat.burn ?? state.settings.burn);
    slot(root, 'life').textContent = `Goes after ${duration(chat.life_secs ?? state.settings.life_secs)}`;
    const button = /** @type {HTMLElement} */ (root.querySelector('[data-action="verify"]'));
    button.className = chat.verified ? 'button button--line button--wide' : 'button button--wide';
    button.dataset.verified = String(chat.verified);
    button.replaceChildren(
      icon(chat.verified ? 'close' : 'verified', 'icon--sm'),
      chat.verified ? 'Remove the verified mark' : 'Equal: mark as verified',
    );
    slot(root, 'verify-lead').textContent = chat.verified
      ? 'You have compared these digits. If they ever change, you are asked before the next message goes out.'
      : chat.linked
        ? 'The invite link that you came by named these keys. Comparing the digits, in person or on a call, also shows whether somebody changed the link on its way.'
        : 'Compare these digits with what the other person sees, in person or on a call. If they are equal, nobody sits in between.';
  };
  show();
  actions(root, {
    'close-details': then.close,
    verify: (target) => send({ c: 'set_verified', chat: id, verified: target.dataset.verified !== 'true' }),
    remove: () =>
      confirmDialog(
        {
          title: 'Remove this chat?',
          text: 'Its messages are wiped here and the person is no longer a contact. The other side keeps what it has until its timers end.',
          yes: 'Remove',
        },
        () => {
          then.decided('The chat is removed.');
          send({ c: 'remove_contact', chat: id });
        },
      ),
    block: () =>
      confirmDialog(
        {
          title: 'Block this person?',
          text: 'Nothing of theirs reaches you any more, and they are not told. You can unblock them in the settings.',
          yes: 'Block',
        },
        () => {
          then.decided('The person is blocked. You can unblock them in the settings.');
          send({ c: 'block', chat: id });
        },
      ),
  });
  receipts.addEventListener('change', () => send({ c: 'set_chat', chat: id, receipts: receipts.checked }));
  muted.addEventListener('change', () => send({ c: 'set_chat', chat: id, muted: muted.checked }));
  liveOnly.addEventListener('change', () => send({ c: 'set_chat', chat: id, live_only: liveOnly.checked }));
  subscriptions.add(
    state.on('chats', show),
    state.on('settings', show),
    state.on('safety_number', (event) => {
      if (event.chat !== id) return;
      slot(root, 'qr').replaceChildren(picture(event.qr_svg, 'The safety number as a QR code'));
      slot(root, 'groups').replaceChildren(...event.groups.map((/** @type {string} */ group) => h('li', {}, group)));
    }),
  );
  send({ c: 'safety_number', chat: id });
  return { node: root, stop: () => subscriptions.stop() };
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

/**
 * A person who asks to talk.
 * @param {import('../types.js').Context} context
 * @param {import('../types.js').Request} request
 * @param {{back: () => void, accepted: () => void, decided: (what: string) => void}} then
 */
export function requestPane(context, request, then) {
  const node = clone('view-request');
  const name = request.alias || request.handle;
  slot(node, 'avatar').append(avatar(request.chat, name));
  slot(node, 'name').textContent = name;
  slot(node, 'handle').textContent =
    `@${request.handle} ${request.by_link ? 'came by your invite link' : 'wants to talk to you'}`;
  drawGreeting(node, request);
  actions(node, {
    back: then.back,
    accept: () => {
      context.send({ c: 'accept_request', chat: request.chat });
      then.accepted();
    },
    refuse: () => {
      then.decided('The request is deleted. They are not told.');
      context.send({ c: 'refuse_request', chat: request.chat });
    },
    block: () =>
      confirmDialog(
        {
          title: `Block ${name}?`,
          text: 'Nothing of theirs reaches you any more, and they are not told. You can unblock them in the settings.',
          yes: 'Block',
        },
        () => {
          then.decided(`${name} is blocked. You can unblock them in the settings.`);
          context.send({ c: 'block', chat: request.chat });
        },
      ),
  });
  return node;
}
