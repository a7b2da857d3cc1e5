// What server and clients send each other: bodies, frames, error codes and names.
// Made from the types of crates/api; tests/api/contract.rs compares it and says how to write it anew.

/** One account. */
export interface Account {
  /** Whether it may sign in. */
  active: boolean;
  /** Its name. */
  alias: string;
  /** Unix seconds. */
  created_at: number;
  /** Its handle. */
  handle: string;
  /** Unix seconds. */
  last_login: number | null;
  /** What it may do. */
  role: Role;
  /** The account. */
  user_id: UserId;
}

/** A change of one's own account. */
export interface AccountChange {
  /** A new name. */
  alias?: string | null;
}

/** What erasing one's own account needs. */
export interface AccountDeletion {
  /** From a re-authentication: a cookie alone must not erase an account. */
  reauth_token: Blob;
}

/** A page of accounts in the order they were made. */
export interface Accounts {
  /** Accounts of this page whose rows are damaged: nobody can sign in to them. */
  damaged: Array<DamagedAccount>;
  next: UserId | null;
  /** The accounts. */
  users: Array<Account>;
}

/** What happened, as a record of the audit log names it. */
export type Action = 'account.alias_changed' | 'account.erased' | 'account.passphrase_changed' | 'account.recovered' | 'account.recovery_failed' | 'account.registered' | 'admin.audit_viewed' | 'admin.refused' | 'admin.users_viewed' | 'audit.foreign_record' | 'audit.retention' | 'audit.rolled_back' | 'backup.restored' | 'invite.created' | 'invite.used' | 'invite.withdrawn' | 'keys.identity_replaced' | 'keys.prekeys_published' | 'keys.published' | 'keys.renewal_finished' | 'keys.renewal_started' | 'keys.rotation_finished' | 'keys.rotation_started' | 'keys.rows_bound' | 'limits.fired' | 'server.started' | 'server.stopped' | 'session.created' | 'session.expired' | 'session.revoked' | 'session.signed_out' | 'sign_in.failed' | 'sign_in.succeeded' | 'store.row_damaged' | 'vault.full' | 'admin.registration.intent' | 'admin.registration.done' | 'admin.registration.failed' | 'admin.user_role.intent' | 'admin.user_role.done' | 'admin.user_role.failed' | 'admin.user_activity.intent' | 'admin.user_activity.done' | 'admin.user_activity.failed' | 'admin.user_erasure.intent' | 'admin.user_erasure.done' | 'admin.user_erasure.failed' | 'admin.key_rotation.intent' | 'admin.key_rotation.done' | 'admin.key_rotation.failed' | 'admin.key_renewal.intent' | 'admin.key_renewal.done' | 'admin.key_renewal.failed' | 'admin.backup.intent' | 'admin.backup.done' | 'admin.backup.failed' | 'admin.backup_drill.intent' | 'admin.backup_drill.done' | 'admin.backup_drill.failed' | 'admin.service_key.intent' | 'admin.service_key.done' | 'admin.service_key.failed' | 'admin.service_key_rotation.intent' | 'admin.service_key_rotation.done' | 'admin.service_key_rotation.failed' | 'admin.service_key_reading.intent' | 'admin.service_key_reading.done' | 'admin.service_key_reading.failed' | 'admin.service_key_deletion.intent' | 'admin.service_key_deletion.done' | 'admin.service_key_deletion.failed' | 'admin.audit_verification.intent' | 'admin.audit_verification.done' | 'admin.audit_verification.failed';

/** What a client asked for over the WebSocket. */
export type Asked = 'claim' | 'ack' | 'extend' | 'cannot_open' | 'send' | 'slots' | 'bundle' | 'status' | 'ticket' | 'list' | 'frame';

/** The key that heads of the audit log are verified with. */
export interface AuditKey {
  /** What people compare, in hexadecimal digits. */
  fingerprint: string;
  /** Always `secure-messaging/1 audit key`. */
  format: string;
  /** Ed25519 and ML-DSA-87 one after the other, in base64. */
  verify_key: string;
}

/** A page of records. */
export interface AuditPage {
  /** The `before` of the next page, if there is one. */
  next: number | null;
  /** Newest first. */
  records: Array<AuditRecord>;
}

/** What proves the log. */
export interface AuditProof {
  /**
   * What in the log this server did not write, where there is something: no head is signed over
   * it or after it.
   */
  foreign: string | null;
  head: NewestHead | null;
  /** Fingerprint of the key that signs heads, in hexadecimal digits. */
  key: string;
  /** The newest record. */
  newest_record: number;
  /** Why an older copy of the database seems to have been put back, if one does. */
  rolled_back: string | null;
  /** The verification that runs or ran last. */
  verification: Verification;
  /** Whoever is sent heads. */
  witnesses: Array<WitnessState>;
}

/** One record. */
export interface AuditRecord {
  /** What happened. */
  action: string;
  /** Why the details cannot be read although they should, where that is so. */
  damage: string | null;
  /**
   * Request id, address, reason; null where the account was erased, and the key of this with it,
   * or where they are damaged.
   */
  details: Record<string, unknown> | null;
  /** Whether this server did not write the record. */
  foreign: boolean;
  /** Their handle, where the account exists. */
  handle: string | null;
  /** SHA3-512 of the record and its predecessor's hash, in hexadecimal digits. */
  hash: string;
  /** Place in the chain. */
  id: number;
  /** Unix seconds. */
  timestamp: number;
  user_id: UserId | null;
}

/** A backup in the target. */
export interface Backup {
  /** Bytes that it holds. */
  bytes: number;
  /** Unix seconds of its state. */
  created_at: number;
  /** Its name. */
  id: string;
  /** Whether the key of the database is inside. */
  key_inside: boolean;
  /** `full` or `incremental`. */
  kind: string;
  /** Why it cannot be used, if so. */
  trouble: string | null;
}

/** A backup under way. */
export interface BackupJob {
  /** How much of it is done. */
  done: number;
  /** `full` or `incremental`. */
  kind: string;
  /** What is being done: `copying`, `writing`, `verifying`. */
  phase: string;
  /** Unix seconds. */
  started_at: number;
  /** How much there is. */
  total: number;
}

/** Which backup is wanted. */
export interface BackupWanted {
  /** Every page, not only those that changed. */
  full?: boolean;
}

/** Backups as administrators see them. */
export interface Backups {
  /** The newest ones, newest first. */
  backups: Array<Backup>;
  /** How many there are. */
  count: number;
  /** Which are kept. */
  keep: string;
  /** Unix seconds of the newest one. */
  last_success: number | null;
  /** Unix seconds at which the next begins by itself. */
  next_due: number | null;
  running: BackupJob | null;
  /** Where they go; absent where nobody said. */
  target: string | null;
  /** Why the last try failed, if it did. */
  trouble: string | null;
}

/** Bytes as base64url without padding */
export type Blob = string;

/** The id of this start of the server. */
export interface Boot {
  /** Random at every start. */
  id: BootId;
  /** The id and the time of the start, signed. */
  signed: Blob;
}

/** One start of the server. */
export type BootId = string;

/** Whether the server has a browser bundle to serve. */
export type BundleState = 'present' | 'missing';

/** What there is to write to somebody with. */
export interface Bundles {
  /** Every live session that published a bundle. */
  live: Array<LiveBundle>;
  prekey: Blob | null;
  /** Encoded public keys. */
  public_keys: Blob;
}

/** A change of a slot, as its sender is told. */
export type Change = 'claimed' | 'acknowledged' | 'expired' | 'cannot_open' | 'returned' | 'left';

/** A text frame of the client. */
export type ClientFrame = {
  /** An encoded `SessionBundle`. */
  bundle: Blob;
  t: 'bundle';
} | {
  t: 'withdraw';
} | {
  /** The message. */
  id: MessageId;
  t: 'claim';
} | {
  /** The message. */
  id: MessageId;
  t: 'ack';
  /** The token of the claim. */
  token: Blob;
} | {
  /** The message. */
  id: MessageId;
  t: 'extend';
  /** The token of the claim. */
  token: Blob;
} | {
  /** The message. */
  id: MessageId;
  t: 'cannot_open';
  /** The token of the claim. */
  token: Blob;
} | {
  t: 'active';
} | {
  /** At most 256. */
  ids: Array<MessageId>;
  t: 'status';
} | {
  /** Its bytes. */
  len: number;
  t: 'ticket';
} | {
  t: 'list';
} | {
  t: 'ping';
};

/** Why the server did not do what was asked */
export type Code = 'malformed-request' | 'signed-out' | 'sign-in-failed' | 'recovery-failed' | 'forbidden' | 'foreign-origin' | 'reauth-failed' | 'registration-closed' | 'invite-unusable' | 'setup-unusable' | 'wrong-proof' | 'not-found' | 'gone' | 'no-such-user' | 'no-such-service' | 'method-not-allowed' | 'handle-taken' | 'already-registered' | 'safe-conflict' | 'token-expired' | 'stale-batch' | 'too-many-invites' | 'taken' | 'stale-claim' | 'duplicate-message' | 'last-administrator' | 'backup-running' | 'no-backup-target' | 'key-job-running' | 'service-key-conflict' | 'too-many-service-keys' | 'account-gone' | 'too-large' | 'wrong-content-type' | 'handle-refused' | 'alias-refused' | 'service-refused' | 'keys-unusable' | 'message-refused' | 'too-many-requests' | 'quota' | 'internal' | 'unavailable' | 'not-ready' | 'key-provider-unreachable' | 'too-many-connections' | 'vault-full' | 'disk-full';

/** Who is signed in, and until when. */
export interface CurrentSession {
  /** Unix seconds at which it ends whatever happens. */
  absolute_expires_at: number;
  /** The name that others see. */
  alias: string;
  /** Unix seconds of the sign-in. */
  created_at: number;
  /** Its handle. */
  handle: string;
  /** Unix seconds at which idleness ends the session. */
  idle_expires_at: number;
  /** What it may do. */
  role: Role;
  /** The session; a link is opened for it. */
  session_id: SessionId;
  /** The account. */
  user_id: UserId;
}

/** An account whose row does not open, or was changed in the file. */
export interface DamagedAccount {
  /** What did not fit. */
  reason: string;
  /** The account. */
  user_id: UserId;
}

/** A service whose active version does not open, or was changed in the file. */
export interface DamagedService {
  /** What did not fit. */
  reason: string;
  /** Id of the service, as the file has it. */
  service: string;
}

/** Who is signed in from this answer on. */
export interface Entered {
  /** What it may do. */
  role: Role;
  /** The session that began; a link is opened for it. */
  session_id: SessionId;
  /** The account. */
  user_id: UserId;
}

/** Figures of the server; none says who talks to whom. */
export interface Figures {
  /** Sessions that have not expired. */
  active_sessions: number;
  /** Records of the audit log. */
  audit_records: number;
  /** Which start of the server this is. */
  boot_id: BootId;
  /** Their bytes. */
  bytes_held: number;
  /** Bytes of the database file. */
  database_bytes: number;
  /** Messages that wait or are being read. */
  messages_held: number;
  /** Unix seconds at which the next message or lease ends. */
  next_expiry: number | null;
  /** Unix seconds at which the next session expires. */
  next_session_expiry: number | null;
  /** Invites that can be used. */
  open_invites: number;
  /** Connected sockets. */
  open_sockets: number;
  /** Who may register. */
  registration: RegistrationMode;
  /** Unix seconds of the start. */
  started_at: number;
  /** Accounts. */
  users: number;
}

/** Whether a part of the server can be used. */
export type Health = 'ok' | 'failed';

/** A new identity: public keys, prekeys and safes are replaced together. */
export interface IdentityChange {
  /** The prekey safe, one version up. */
  prekey_safe: SafeData;
  /** Encoded batch of prekeys, signed by them. */
  prekeys: Blob;
  /** Encoded public keys. */
  public_keys: Blob;
  /** From a re-authentication: a cookie alone must not swap an identity. */
  reauth_token: Blob;
  /** The key safe, one version up. */
  safe: SafeWrite;
}

/** An invite of one's own. */
export interface Invite {
  /** Unix seconds. */
  created_at: number;
  /** Unix seconds. */
  expires_at: number;
  /** Names it for withdrawal; the code itself is not kept. */
  id: InviteHash;
  /** How often it may be used. */
  max_uses: number;
  /** How often it was used. */
  uses: number;
}

/** The secret part of an invite link. */
export type InviteCode = string;

/** An invite: the SHA3-256 of its code. */
export type InviteHash = string;

/** An invite that was made; the code is shown this once. */
export interface InviteMade {
  /** For the page link `/i#<code>.<user id>.<fingerprint>`. */
  code: InviteCode;
  /** Unix seconds. */
  expires_at: number;
}

/** A key-encryption key; never its bytes. */
export interface Kek {
  /** Unix seconds. */
  created_at: number;
  /** Identifier, in hexadecimal digits. */
  id: string;
  /** `local`, `pkcs11`, `hashicorp_vault`, `aws_kms` or `azure_key_vault`. */
  provider: string;
  /** Its name in the token, or that of the key which wrapped it in a key service. */
  reference: string | null;
  /** Unix seconds at which the last value had left it. */
  retired_at: number | null;
  /** What it is used for. */
  state: KekState;
}

/** What a key-encryption key is used for. */
export type KekState = 'active' | 'retiring' | 'retired';

/** A job over every sealed value; it survives the end of the process at any point. */
export interface KeyJob {
  /** Values that it is past. */
  done: number;
  /** Whether it is over. */
  finished: boolean;
  /** Unix seconds. */
  finished_at: number | null;
  /** Counts up from 1. */
  id: number;
  /** What it does. */
  kind: KeyJobKind;
  /** Why it was begun. */
  reason: string;
  /** Unix seconds. */
  started_at: number;
  /** Values that there were when it began. */
  total: number;
}

/** What a key job does to every sealed value. */
export type KeyJobKind = 'rewrap' | 'renew';

/** The keys and what is being done to them. */
export interface Keys {
  job: KeyJob | null;
  /** Days after which a key rotates by itself; 0 for never. */
  kek_days: number;
  /** Every key-encryption key, the newest first. */
  keks: Array<Kek>;
  /** Unix seconds of the next rotation. */
  next_rotation: number | null;
  /** What keeps the running job from going on. */
  trouble: string | null;
}

/**
 * How a passphrase is hardened. A client knows it from the version of the protocol, and refuses a
 * server that says anything else.
 */
export interface Ksf {
  /** Argon2id's lanes. */
  lanes: number;
  /** Argon2id's memory in KiB. */
  memory_kib: number;
  /** Argon2id's passes. */
  passes: number;
}

/** Whether the process runs. */
export interface Live {
  /** Always `live`. */
  status: string;
}

/** One live session of the recipient. */
export interface LiveBundle {
  /** Its encoded bundle. */
  bundle: Blob;
  /** Which session. */
  live_id: LiveId;
}

/** One unlocked client core: a browser's shared worker, or one tab's worker. */
export type LiveId = string;

/** A message, chosen by its sender; the same for all of its slots and for its resealed copy. */
export type MessageId = string;

/** The state of a message. */
export type MessageState = 'waiting' | 'claimed' | 'acknowledged' | 'expired' | 'unknown';

/** An invite to be made. */
export interface NewInvite {
  /** Seconds that it is good for, a week where nothing is said. */
  life?: number | null;
  /** How often it may be used, 1 where nothing is said. */
  max_uses?: number | null;
}

/** A service and the key that it is to have. */
export interface NewServiceKey {
  /** What the key is made of. */
  algorithm: ServiceKeyAlgorithm;
  /** Bits of the modulus, for RS256 only: 2048, 3072 or 4096; 3072 if there is none. */
  key_size?: number | null;
  /** Name of the service for people, 1 to 64 characters; its id if there is none. */
  name?: string | null;
  /** Id of the service, as it stands in addresses. */
  service: string;
}

/** A wrap of the safe key that is to be stored. */
export interface NewWrap {
  /** Sealed by the client. */
  data: Blob;
  /** What opens it. */
  kind: WrapKind;
}

/** The newest head. */
export interface NewestHead {
  /** That record's hash, in hexadecimal digits. */
  hash: string;
  /** Counted from 1 without gaps. */
  number: number;
  /** The record that it signs. */
  record_id: number;
  /** Unix seconds. */
  timestamp: number;
}

/** The second message of a change of passphrase. */
export interface PassphraseFinish {
  /** The prekey safe under a new key, one version up. */
  prekey_safe: SafeData;
  /** From the re-authentication with the old passphrase. */
  reauth_token: Blob;
  /** The key safe under a new key, one version up. */
  safe: SafeWrite;
  /** From the answer to the first message. */
  token: Blob;
  /** OPAQUE registration upload. */
  upload: Blob;
}

/** The first message of a change of passphrase. */
export interface PassphraseStart {
  /** OPAQUE registration request for the new passphrase. */
  request: Blob;
}

/** The answer to the first message of a change of passphrase. */
export interface PassphraseStarted {
  /** How the passphrase is hardened, where the server says so. */
  ksf?: Ksf;
  /** OPAQUE registration response. */
  response: Blob;
  /** To be sent with the second message within ten minutes. */
  token: Blob;
}

/** Somebody, as others see them. */
export interface Person {
  /** Its name. */
  alias: string;
  /** Its handle. */
  handle: string;
  /** Encoded public keys with their signatures. */
  public_keys: Blob;
  /** The account. */
  user_id: UserId;
}

/** A batch of prekeys to publish. */
export interface PrekeyBatch {
  /** Encoded signed batch; its private halves must be committed before. */
  batch: Blob;
}

/** A compare-and-swap of the prekey safe. */
export interface PrekeySafeChange {
  /** The version that the writer merged into its own. */
  expected_version: number;
  /** The new version. */
  prekey_safe: SafeData;
  /** Proof of the safe key. */
  write_proof: Blob;
}

/** What is left of one's prekeys. */
export interface PrekeyStock {
  /** Number of the newest batch. */
  batch_number: number;
  /** Unix seconds at which the last-resort pair was made. */
  last_resort_created_at: number;
  /** One-time prekeys left. */
  stock: number;
}

/** Prekeys under which something waits or is being read. */
export interface PrekeysInUse {
  /** Numbers of the pairs. */
  ids: Array<number>;
}

/** Which private key is wanted. */
export interface PrivateKeyWanted {
  format?: ServiceKeyFormat | null;
  /** From a re-authentication: a cookie alone must not give out a private key. */
  reauth_token: Blob;
  /** The version; the active one if there is none. */
  version?: number | null;
}

/**
 * Why the server did not do what was asked. A document may have further members, such as those of
 * `SafeConflict`.
 */
export interface Problem {
  /** The stable name of a code. */
  code: Code;
  /** What happened this time, and what to do next. */
  detail: string;
  /** Seconds to wait before trying again, where waiting helps. */
  retry_after?: number;
  /** The HTTP status. */
  status: number;
  /** The same short sentence for every problem of this code. */
  title: string;
  /** `/problems/<code>`. */
  type: string;
}

/**
 * What a server that can serve says; one that cannot answers with a problem document that has the
 * last three members too.
 */
export interface Ready {
  /** Whether there is a browser bundle. */
  bundle: BundleState;
  /** Whether the database takes writes. */
  database: Health;
  /** Whether the keys can be used. */
  keys: Health;
  /** Always `ready`. */
  status: string;
}

/** The second message of a re-authentication. */
export interface ReauthFinish {
  /** OPAQUE credential finalization. */
  finalization: Blob;
  /** From the answer to the first message. */
  token: Blob;
}

/** The first message of a re-authentication. */
export interface ReauthStart {
  /** OPAQUE credential request. */
  request: Blob;
}

/** The answer to the second message of a re-authentication. */
export interface Reauthenticated {
  /** Proof of the passphrase for this session, for five minutes and once. */
  reauth_token: Blob;
}

/** The second message of a recovery. */
export interface RecoveryFinish {
  /** How the person calls this device. */
  device_name?: string | null;
  /** The prekey safe under a new key. */
  prekey_safe: SafeData;
  /** The key safe under a new key. */
  safe: SafeWrite;
  /** From the answer to the first message. */
  token: Blob;
  /** OPAQUE registration upload. */
  upload: Blob;
}

/** The first message of a recovery. */
export interface RecoveryStart {
  /** The handle. */
  handle: string;
  /** Proof of the recovery key. */
  proof: Blob;
  /** OPAQUE registration request for the new passphrase. */
  request: Blob;
}

/** The answer to the first message of a recovery. */
export interface RecoveryStarted {
  /** How the passphrase is hardened, where the server says so. */
  ksf?: Ksf;
  /** The prekey safe. */
  prekey_safe: SafeData;
  /** OPAQUE registration response. */
  response: Blob;
  /** The key safe, which the recovery key opens. */
  safe: SafeRead;
  /** To be sent with the second message within ten minutes. */
  token: Blob;
  /** The account. */
  user_id: UserId;
}

/** Who may register from now on. */
export interface RegistrationChoice {
  /** The mode. */
  mode: RegistrationMode;
}

/** The second message of a registration. */
export interface RegistrationFinish {
  /** The name that others see. */
  alias: string;
  /** How the person calls this device. */
  device_name?: string | null;
  /** The prekey safe. */
  prekey_safe: SafeData;
  /** Encoded batch of prekeys. */
  prekeys: Blob;
  /** Encoded public keys. */
  public_keys: Blob;
  /** The key safe. */
  safe: SafeWrite;
  /** From the answer to the first message. */
  token: Blob;
  /** OPAQUE registration upload. */
  upload: Blob;
}

/** Who may register. */
export type RegistrationMode = 'closed' | 'invite' | 'open';

/** The first message of a registration. */
export interface RegistrationStart {
  /** The handle that the person wants. */
  handle: string;
  /** The code of an invite, 32 hexadecimal digits. */
  invite?: string | null;
  /** OPAQUE registration request. */
  request: Blob;
  /** The secret of the set-up link. */
  setup?: string | null;
}

/** The answer to the first message of a registration. */
export interface RegistrationStarted {
  /** How the passphrase is hardened, where the server says so. */
  ksf?: Ksf;
  /** OPAQUE registration response. */
  response: Blob;
  /** To be sent with the second message within ten minutes. */
  token: Blob;
  /** The account's id, which its prekeys are signed for. */
  user_id: UserId;
}

/** What a registration would say, to be checked before a passphrase is chosen. */
export interface RegistrationWish {
  /** The name that others shall see. */
  alias: string;
  /** The handle that the person wants. */
  handle: string;
  /** The code of an invite, 32 hexadecimal digits. */
  invite?: string | null;
  /** The secret of the set-up link. */
  setup?: string | null;
}

/** A restored backup. */
export type RestoreId = string;

/** A restore, as the server says. */
export interface Restored {
  /** Unix seconds of the backup: what changed later is as it was then. */
  at: number;
  /** Random at each restore. */
  epoch: RestoreId;
}

/** The server's half of a resume wrap. */
export interface ResumeHalf {
  /** Random bytes of the client's. */
  half: Blob;
}

/** What ending every other session needs. */
export interface RevokeOthers {
  /** From a re-authentication: whoever has a cookie alone must not put everybody else out. */
  reauth_token: Blob;
}

/** What an account may do. */
export type Role = 'user' | 'auditor' | 'admin';

/** A compare-and-swap of the key safe's data. */
export interface SafeChange {
  /** The version that the writer merged into its own. */
  expected_version: number;
  /** The new version. */
  safe: SafeData;
  /** Proof of the safe key. */
  write_proof: Blob;
}

/** What a problem document says besides when another session wrote a safe first. */
export interface SafeConflict {
  /** What the safe holds. */
  current: SafeData;
}

/** A version of a safe's data, sealed by the client. */
export interface SafeData {
  /** Sealed by the client. */
  data: Blob;
  /** Counts up by the client's writes. */
  version: number;
}

/** A key safe as it is read. */
export interface SafeRead {
  /** Sealed by the client. */
  data: Blob;
  /** Counts up by the client's writes. */
  version: number;
  /** What opens the safe key; kinds that a reader does not know are ignored. */
  wraps: Array<Wrap>;
}

/** A key safe as it is written whole, when the account is made or its credentials change. */
export interface SafeWrite {
  /** Sealed by the client. */
  data: Blob;
  /** SHA3-256 of the recovery proof. */
  recovery_proof_hash: Blob;
  /** Counts up by the client's writes. */
  version: number;
  /**
   * The safe key, wrapped once for the passphrase and once for the recovery key. Wraps of other kinds
   * stay as they are.
   */
  wraps: Array<NewWrap>;
  /** SHA3-256 of the write proof. */
  write_proof_hash: Blob;
}

/** Both safes. */
export interface Safes {
  /** The prekey safe; version 0 without data where a restore left none. */
  prekey_safe: SafeData;
  restored: Restored | null;
  /** The key safe. */
  safe: SafeRead;
}

/** What the sign-in page needs to know of the server. */
export interface Server {
  /** Which start of the server this is. */
  boot: Boot;
  /** Hash of the browser bundle, if there is one. */
  bundle_hash: string | null;
  /** Unix seconds. */
  now: number;
  /** Who may register. */
  registration: RegistrationMode;
  restored: Restored | null;
  /** Whether the first administrator has been made. */
  setup_done: boolean;
  /** Version of the program. */
  version: string;
}

/** A text frame of the server. */
export type ServerFrame = {
  /** The boot id. */
  boot_id: BootId;
  /** Whether there are more, for which `list` asks. */
  more: boolean;
  /** Unix seconds. */
  now: number;
  /** Unread messages that only sessions which are gone could open. */
  stranded: Array<Stranded>;
  t: 'hello';
  /** The first messages that wait. */
  waiting: Array<Waiting>;
} | Waiting & {
  t: 'waiting';
} | Waiting & {
  t: 'pushed';
} | {
  /** Unix seconds. */
  expires_at: number;
  /** The message. */
  id: MessageId;
  t: 'sent';
} | {
  /** The message. */
  id: MessageId;
  t: 'slots_added';
} | {
  /** The stable name of a code. */
  code: Code;
  /** What to do next. */
  detail?: string;
  /** The message. */
  id?: MessageId;
  /** What was asked for. */
  re: Asked;
  /** Seconds to wait before trying again, if waiting helps. */
  retry_after?: number;
  t: 'refused';
} | {
  /** The message. */
  id: MessageId;
  t: 'acked';
} | {
  /** The message. */
  id: MessageId;
  /** Milliseconds from now. */
  lease_ms: number;
  t: 'extended';
} | {
  /** Whether more parts follow. */
  more: boolean;
  t: 'listed';
  /** At most 64. */
  waiting: Array<Waiting>;
} | {
  /** The message. */
  id: MessageId;
  /** Milliseconds from now. */
  lease_ms: number;
  t: 'claimed_large';
  /** The ticket under which it is fetched, encoded. */
  ticket: Blob;
  /** Needed to acknowledge, extend or give back. */
  token: Blob;
} | {
  /** One for each id, in their order. */
  states: Array<StatusEntry>;
  t: 'status';
} | {
  /** The message. */
  id: MessageId;
  /** Whether the target is a live session. */
  live: boolean;
  /** The change. */
  state: Change;
  t: 'message';
  /** The live session, or the account, of the slot. */
  target: TargetId;
} | {
  /** Version of the prekey safe. */
  prekey_version: number;
  t: 'safe';
  /** Version of the key safe. */
  version: number;
} | {
  t: 'joined';
} | {
  t: 'pong';
};

/** A service */
export type ServiceId = string;

/** A version of a service's key, without its bytes. */
export interface ServiceKey {
  /** What it is made of. */
  algorithm: ServiceKeyAlgorithm;
  /** Unix seconds. */
  created_at: number;
  /** Bits of the modulus for RS256, of both public keys for the others. */
  key_size: number;
  /** Name of this version, made from its public keys. */
  kid: string;
  /** Name of the service. */
  name: string;
  /** Unix seconds at which another version replaced it. */
  retired_at: number | null;
  /** Id of the service. */
  service: ServiceId;
  /** Whether it is the one to use. */
  state: ServiceKeyState;
  /** Unix seconds of the last change of its name or state. */
  updated_at: number;
  /** Counts up from 1. */
  version: number;
}

/** What a version of a service's key is made of, and what it is for. */
export type ServiceKeyAlgorithm = 'ML-KEM-1024+X25519' | 'ML-DSA-87+Ed25519' | 'RS256';

/** Which keys of a service are deleted. */
export interface ServiceKeyDeletion {
  /** From a re-authentication: a cookie alone must not delete keys. */
  reauth_token: Blob;
  /** A retired version; the service with every version if there is none. */
  version?: number | null;
}

/** How keys of a service are written. */
export type ServiceKeyFormat = 'jwks' | 'pem';

/** A new version of a service's key. */
export interface ServiceKeyRotation {
  algorithm?: ServiceKeyAlgorithm | null;
  /** The version that is active now; if it is another one, nothing is changed. */
  expected_version?: number | null;
  /** Bits of the modulus, for RS256 only; as many as now if neither this nor an algorithm is given. */
  key_size?: number | null;
}

/** Whether a version of a service's key is the one to use. */
export type ServiceKeyState = 'active' | 'retired';

/** The key that the service of the address is to have. */
export interface ServiceKeyWanted {
  /** What the key is made of. */
  algorithm: ServiceKeyAlgorithm;
  /** Bits of the modulus, for RS256 only: 2048, 3072 or 4096; 3072 if there is none. */
  key_size?: number | null;
  /** Name of the service for people, 1 to 64 characters; its id, or the one it has, if there is none. */
  name?: string | null;
}

/** A page of services in the order of their ids, each with its active version. */
export interface Services {
  /** Services of this page whose rows are damaged. */
  damaged: Array<DamagedService>;
  next: ServiceId | null;
  /** The active versions. */
  services: Array<ServiceKey>;
}

/** One session of the account. */
export interface Session {
  /** Unix seconds. */
  created_at: number;
  /** Whether it is the one that asks. */
  current: boolean;
  /** How the person calls the device. */
  device_name: string | null;
  /** Names it for revocation. */
  id: SessionId;
  /** Address at sign-in. */
  ip: string;
  /** Unix seconds. */
  last_activity: number;
  /** `passphrase`, `recovery` or `registration`. */
  method: string;
  /** Browser at sign-in. */
  user_agent: string;
}

/** A session: the SHA3-256 of its cookie's secret. */
export type SessionId = string;

/** The second message of a sign-in. */
export interface SignInFinish {
  /** How the person calls this device. */
  device_name?: string | null;
  /** OPAQUE credential finalization. */
  finalization: Blob;
  /** From the answer to the first message. */
  token: Blob;
}

/** The first message of a sign-in. */
export interface SignInStart {
  /** The handle. */
  handle: string;
  /** OPAQUE credential request. */
  request: Blob;
}

/** The answer to the first message of a sign-in or re-authentication. */
export interface SignInStarted {
  /** How the passphrase is hardened, where the server says so. */
  ksf?: Ksf;
  /** OPAQUE credential response, a fake one where there is no such account. */
  response: Blob;
  /** To be sent with the second message within sixty seconds, once. */
  token: Blob;
}

/** The state of one message. */
export interface StatusEntry {
  /** Unix seconds; 0 where the message is unknown. */
  expires_at: number;
  /** The message. */
  id: MessageId;
  /** Its state. */
  state: MessageState;
}

/** An unread message that only sessions which are gone could open. */
export interface Stranded {
  /** The account that posted it. */
  from: UserId;
  /** The message. */
  id: MessageId;
}

/** What a slot is for: a live session's id, or an account's. */
export type TargetId = string;

/** Who may claim a slot. */
export type TargetKind = 'live' | 'account';

/** An invite to be used by somebody who has an account. */
export interface UseInvite {
  /** The code in the link. */
  code: InviteCode;
}

/** An account. */
export type UserId = string;

/** A verification: what is under way and what the last one came to. */
export interface Verification {
  /** Records that it has read. */
  done: number;
  last: Verified | null;
  /** Whether one runs now. */
  running: boolean;
  /** Records that there were when it began. */
  total: number;
}

/** What a verification came to. */
export interface Verified {
  /** Unix seconds of its end. */
  at: number;
  /** What was found, each in one sentence. */
  findings: Array<string>;
  /** The first of them. */
  from: number;
  /** Heads whose signatures hold. */
  heads: number;
  /** Records that were read. */
  records: number;
  /** The last of them. */
  to: number;
  /** The newest record that a verified head signs. */
  vouched: number;
  /** Whether nothing was found. */
  whole: boolean;
}

/** A message that can be claimed. */
export interface Waiting {
  /** Whether reading wipes it. */
  burn: boolean;
  /** Unix seconds. */
  expires_at: number;
  /** The posting account, according to the server. */
  from: UserId;
  /** The message. */
  id: MessageId;
  /** Bytes of body and slot together. */
  size: number;
  /** Who may claim the slot. */
  target: TargetKind;
}

/** What is wanted to write to somebody. */
export interface WantBundles {
  /** Whether a prekey is wanted although somebody is live. */
  want_prekey?: boolean;
}

/** How a witness is doing. */
export interface WitnessState {
  /** Its address as it is configured. */
  address: string;
  /** Why the last try failed; absent when it did not. */
  error: string | null;
  /** Tries that failed since the start. */
  failures: number;
  /** The newest record of which it has a head. */
  newest_record: number;
  /** Heads that made room for later ones before it took them. */
  skipped: number;
  /** Heads that it has taken since the start. */
  taken: number;
  /** When it took that, in unix seconds. */
  taken_at: number | null;
  /** Heads that wait for it. */
  waiting: number;
}

/** The safe key, wrapped for one of the things that open it. */
export interface Wrap {
  /** Sealed by the client. */
  data: Blob;
  /** Drawn by the server; a wrap that replaces another has an id of its own. */
  id: WrapId;
  /** What opens it. */
  kind: WrapKind;
  /** Unix seconds; 0 where the server kept no times yet. */
  made: number;
}

/** A wrap of the safe key. */
export type WrapId = string;

/** What opens a wrap of the safe key: `passphrase`, `recovery_key`, or a kind of a later version, which is kept and ignored */
export type WrapKind = string;
