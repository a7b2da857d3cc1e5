/**
 * The JSON that tabs and core exchange, as the client core documents it. Types only; what the core hands
 * on as the server says it has its type in `api.d.ts`.
 *
 * @typedef {'never' | 'on_read' | {after: number}} Burn
 * @typedef {{c: string, [field: string]: unknown}} Command
 * @typedef {{user_id: string, handle: string, alias: string, role: import('./api.js').Role | ''}} Me
 * @typedef {{e: 'server', version: string, registration: import('./api.js').RegistrationMode, setup_done: boolean, bundle_hash: string | null, boot_id: string, restored_at?: number, clock_skew_secs: number}} ServerEvent
 * @typedef {{e: 'state', state: 'starting' | 'signed_out' | 'locked' | 'unlocked', reason: string, me: Me | null, unsent?: {chat: string, messages: number}[], handle?: string}} StateEvent
 * @typedef {{e: 'connection', online: boolean, retry_at_ms?: number, barred?: boolean}} ConnectionEvent
 * @typedef {{e: 'failed', during: string, code: string, text: string, chat?: string, message?: string, tag?: string, retry_after_secs?: number}} FailedEvent
 * @typedef {{e: 'refused' | 'notice', code: string, text: string, chat?: string, message?: string}} NoticeEvent
 * @typedef {{e: 'settings', receipts: boolean, typing: boolean, lock_after_secs: number, life_secs: number, burn: Burn}} SettingsEvent
 * @typedef {import('./api.js').Session} Session
 * @typedef {{user_id: string, handle: string, alias: string, relation: string}} Person
 * @typedef {import('./api.js').Invite} Invite
 * @typedef {{chat: string, spot: string, handle: string, alias: string, relation: string, verified: boolean, linked: boolean, key_changed: boolean, key_changed_back: boolean, live: boolean, preview: string | null, preview_mine: boolean, last_state: string | null, last_ms: number, unread: number, muted: boolean, live_only: boolean, receipts: boolean | null, life_secs: number | null, burn: Burn | null}} Chat
 * @typedef {{e: 'draft', chat: string, text: string, tag?: string}} DraftEvent
 * @typedef {{chat: string, handle: string, alias: string, greeting: string, received_ms: number, key_changed: boolean, by_link: boolean}} Request
 * @typedef {{id: string, mine: boolean, text: string | null, sealed: boolean, sent_ms: number, seen_ms: number, place: number, state: string, by_server: boolean, taken: boolean, path: string, expires_at: number | null, burn: Burn, burns_ms: number | null, edited: boolean, failure?: string, failure_text?: string, warnings: string[], tag?: string}} Message
 * @typedef {{e: string, [field: string]: any}} CoreEvent
 *
 * @typedef {{wasm: string, wasmIntegrity: string, glue: string, glueIntegrity: string}} ModuleFiles
 * @typedef {{core: ModuleFiles, strength: ModuleFiles, origin: string}} Bundle
 * @typedef {{wasmHash: string}} About
 *
 * What every view is given.
 * @typedef {object} Context
 * @property {import('./lib/state.js').State} state
 * @property {import('./chat/drafts.js').Drafts} drafts
 * @property {(command: Command) => void} send
 * @property {(path: string, replace?: boolean) => void} go
 * @property {() => string} fragment
 */
export {};
