//! A database with rows in every table, and a look at every value in it.

use std::collections::BTreeMap;

use audit::{Head, HeadSigningKey, Header, Verifier};
use hex::encode as hex;
use rand_core::UnwrapErr;
use serde_json::json;
use store::testing::sample::{self, NOW, event, handle, session_id, user_id};
use store::{
    Act, AdminLink, AuditEvent, AuditFile, AuditFilter, Claim, Declaration, Fault, Invite,
    InviteHash, NewKey, RegistrationMode, Store,
};
use zeroize::Zeroizing;

use super::Folder;
use super::other_key::other_key;

/// Accounts.
pub(crate) const PEOPLE: [u64; 3] = [1, 2, 3];
pub(crate) const SECRETS: [&str; 2] = ["cookie", "opaque-setup"];
/// Services, and versions of their keys.
const SERVICES: [(u8, u32); 2] = [(1, 2), (2, 1)];
/// Records that went through the door.
const GONE: u64 = 3;
const ACT: Act = Act {
    intent: "sample.intended",
    done: "sample.done",
    failed: "sample.failed",
};

fn invite(number: u64) -> InviteHash {
    InviteHash::from_bytes([number as u8; 32])
}

fn secret(name: &str) -> Vec<u8> {
    name.bytes().cycle().take(96).collect()
}

async fn sign(store: &Store) {
    let tip = store.audit_tip().await.unwrap();
    let newest = store.newest_audit_head().await.unwrap();
    let head = Head {
        number: newest.map_or(0, |head| head.head.number) + 1,
        record_id: tip.id,
        hash: tip.hash,
        timestamp: NOW,
    };
    let key = HeadSigningKey::from_bytes(&[7; 64]);
    let head = key.sign(&mut UnwrapErr(getrandom::SysRng), head);
    assert!(store.append_audit_head(head).await.unwrap());
}

/// Every table of the schema has rows; one rotation is over and another is under way, so that there
/// are keys in all three states, and it opens by what a rotation hands over.
pub(crate) async fn filled() -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    let text = Header::key_text(&HeadSigningKey::from_bytes(&[7; 64]).verify_key());
    store.publish_audit_key(text).await.unwrap();
    for number in PEOPLE {
        sample::register(&store, number..number + 1, 4).await;
        let invite = Invite {
            code_hash: invite(number),
            created_by: user_id(number),
            created_at: NOW,
            expires_at: NOW + 1_000,
            max_uses: 3,
            uses: 0,
        };
        assert!(store.create_invite(invite, vec![]).await.unwrap());
        sample::claim(&store, user_id(number)).await.unwrap();
    }
    for name in SECRETS {
        let make = Box::new(move || Zeroizing::new(secret(name)));
        store.get_or_create_secret(name, make, NOW).await.unwrap();
    }
    sign(&store).await;
    for number in 0..9 {
        let owner = (number % 4 > 0).then(|| user_id(number % 4));
        let event = AuditEvent {
            details: json!({ "number": number, "ip": "192.0.2.77" }),
            ..event(owner, "session.created", NOW + 10 + number)
        };
        store.append_audit(vec![event]).await.unwrap();
    }
    let declaration = Declaration {
        user_id: None,
        act: &ACT,
        details: json!({ "sample": true }),
    };
    let intent = store.declare(declaration, NOW + 20).await.unwrap();
    let link = AdminLink {
        hash: [9; 32],
        expires_at: NOW + 1_000,
    };
    let open = RegistrationMode::Open;
    store
        .keep_admin_link(link, &intent, NOW + 21)
        .await
        .unwrap();
    let changed = store.set_registration_mode(open, &intent, NOW + 22).await;
    changed.unwrap();
    for (number, versions) in SERVICES {
        let (name, key) = (format!("Service {number}"), sample::service_key(number));
        let service = sample::service(number);
        let made = store.create_service_key(service.clone(), name, key, &intent, NOW);
        made.await.unwrap();
        for version in 1..versions {
            let key = sample::service_key(number + 10);
            let made = store.rotate_service_key(service.clone(), version, key, &intent, NOW);
            made.await.unwrap();
        }
    }
    assert!(
        store
            .take_lease("jobs", [1; 16], NOW, NOW + 30)
            .await
            .unwrap()
    );
    store
        .open_audit_door(NOW + 1, NOW + 30)
        .await
        .unwrap()
        .unwrap();
    sign(&store).await;
    while store.pass_audit_door(2).await.unwrap() > 0 {}
    let begun = store.begin_rotation(NewKey::Configured, "first".to_owned(), NOW, vec![]);
    begun.await.unwrap();
    let step = || store.step_key_job(std::time::Duration::from_secs(9), NOW);
    while step().await.unwrap().is_some_and(|job| !job.finished) {}
    let begun = store.begin_rotation(other_key(), "second".to_owned(), NOW, vec![]);
    begun.await.unwrap();
    store.close().unwrap();
    folder
}

/// What came of looking at one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Value(String),
    /// There is no such row.
    Absent,
    /// The error names table and row.
    Damaged {
        table: String,
        row: String,
    },
    /// Another error.
    Refused(String),
}

/// What was seen, by a name: `table.column` and whose. Names of sealed values have a column that
/// begins with `encrypted_`.
pub(crate) type Seens = BTreeMap<String, Seen>;

#[derive(Default)]
struct Look(Seens);

impl Look {
    fn put<T>(
        &mut self,
        name: String,
        result: Result<Option<T>, Fault>,
        text: impl Fn(&T) -> String,
    ) {
        let seen = match result {
            Ok(Some(value)) => Seen::Value(text(&value)),
            Ok(None) => Seen::Absent,
            Err(Fault::Damaged { table, row, .. }) => Seen::Damaged {
                table: table.to_owned(),
                row,
            },
            Err(other) => Seen::Refused(other.to_string()),
        };
        assert!(self.0.insert(name.clone(), seen).is_none(), "{name} twice");
    }

    fn clear<T: std::fmt::Debug>(&mut self, name: &str, result: Result<T, Fault>) {
        self.put(name.to_owned(), result.map(Some), |value| {
            format!("{value:?}")
        });
    }
}

/// Looks at everything; `last` is the number of the newest audit record.
pub(crate) async fn look(store: &Store, last: u64) -> Seens {
    let mut look = Look::default();
    for number in PEOPLE {
        person(store, number, &mut look).await;
    }
    for name in SECRETS {
        let anew: store::SecretGenerator = Box::new(|| Zeroizing::new(b"made anew".to_vec()));
        let found = store.get_or_create_secret(name, anew, NOW).await;
        // One that is made anew is no wrong plaintext; what it was is gone.
        let found = found.map(|secret| (secret.expose() != b"made anew").then_some(secret));
        let name = format!("server_secrets.encrypted_secret of {name}");
        look.put(name, found, |secret| hex(secret.expose()));
    }
    for (number, versions) in SERVICES {
        service(store, number, versions, &mut look).await;
    }
    for id in GONE + 1..=last {
        record(store, id, &mut look).await;
    }
    look.clear("settings", store.server_settings().await);
    look.clear(
        "settings of the link",
        store.admin_link_usable([9; 32], NOW).await,
    );
    look.clear("settings of restores", store.restored().await);
    look.clear("keks", store.keks().await);
    look.clear("key_jobs", store.key_job().await);
    look.clear("audit_retention", store.audit_doors().await);
    look.clear("audit_heads", store.newest_audit_head().await);
    look.clear("statistics", store.statistics(NOW).await);
    look.clear("users in order", whole(store.list_users(None, 9).await));
    look.clear(
        "services in order",
        whole(store.list_services(None, 9).await),
    );
    look.clear("every table", store.table_counts().await);
    look.clear("sealed samples", store.open_samples(9).await);
    let chain = store
        .verify_audit_chain()
        .await
        .map_err(|error| match error {
            store::ChainError::Fault(fault) => fault,
            store::ChainError::Broken { id, reason } => Fault::Damaged {
                table: "audit_log",
                row: id.to_string(),
                reason,
            },
        });
    look.clear("the chain", chain);
    // A claim changes what is there, so it comes last.
    for number in PEOPLE {
        let claimed = store
            .claim_prekey(user_id(number), Claim::OneTime, NOW)
            .await;
        look.put(format!("prekey_batches of {number}"), claimed, |leaf| {
            format!("{leaf:?}")
        });
    }
    look.0
}

async fn person(store: &Store, number: u64, look: &mut Look) {
    let (user, name) = (user_id(number), handle(number));
    for (by, found) in [
        ("id", store.user_by_id(user).await),
        ("handle", store.user_by_handle(&name).await),
    ] {
        let found = found.map(|row| row.map(|row| (row.handle.clone(), row.alias.clone(), row)));
        if let Ok(Some((_, _, row))) = &found {
            // Debug leaves out what is sealed.
            let clear = (row, &row.fingerprint);
            look.clear(&format!("users of {number} by {by}"), Ok(clear));
        }
        let label = format!("users.encrypted_data of {number} by {by}");
        look.put(label, found, |(handle, alias, _)| {
            format!("{handle} {alias}")
        });
    }
    for (by, found) in [
        ("id", store.credential_by_id(user).await),
        ("handle", store.credential(&name).await),
    ] {
        let label = format!("users.encrypted_credential of {number} by {by}");
        look.put(label, found, |credential| {
            hex(&credential.opaque_record) + &hex(credential.recovery_proof_hash)
        });
    }
    let safes = store.safes(user).await;
    look.put(
        format!("key_safes of {number}"),
        each(&safes, |(safe, prekeys)| {
            Some(format!("{} {}", safe.version, prekeys.version))
        }),
        String::clone,
    );
    for (column, of) in [
        ("key_safes.encrypted_private_keys", safe_data as fn(&_) -> _),
        ("safe_wraps.encrypted_wrap", safe_wraps),
        ("prekey_safes.encrypted_data", prekey_data),
    ] {
        look.put(
            format!("{column} of {number}"),
            each(&safes, of),
            String::clone,
        );
    }
    let found = store.find_session(session_id(number), NOW).await;
    let listed = store.list_sessions(user, NOW).await;
    let listed = whole(listed).map(|mut rows| rows.pop());
    for (by, found) in [("id", found), ("user", listed)] {
        if let Ok(Some(row)) = &found {
            // Debug leaves out what is sealed.
            look.clear(&format!("sessions of {number} by {by}"), Ok(row));
        }
        let label = format!("sessions.encrypted_data of {number} by {by}");
        look.put(label, found, |row| {
            let details = &row.details;
            serde_json::to_string(details).unwrap()
        });
    }
    let taken = store.handle_taken(&name).await;
    look.clear(&format!("users.handle_index of {number}"), taken);
    let keys = store.public_keys(user).await;
    look.put(format!("public_keys of {number}"), keys, |keys| {
        format!("{keys:?}")
    });
    let stock = store.prekey_stock(user, NOW).await;
    look.put(format!("prekey_stock of {number}"), stock, |stock| {
        format!("{stock:?}")
    });
    let found = store.find_invite(invite(number)).await;
    look.put(format!("invites of {number}"), found, |invite| {
        format!("{invite:?}")
    });
    let listed = store.list_invites(user).await;
    look.clear(&format!("invites of {number} in a list"), listed);
}

async fn service(store: &Store, number: u8, versions: u32, look: &mut Look) {
    let service = sample::service(number);
    let found = store.service_key_versions(service.clone()).await;
    let found = found.and_then(|rows| {
        let rows = rows.into_iter().map(|row| row.map_err(damaged));
        rows.collect::<Result<Vec<_>, Fault>>()
    });
    look.clear(&format!("service_keys of {number}"), found);
    for version in 1..=versions {
        let found = store.private_service_key(service.clone(), version).await;
        let name = format!("service_keys.encrypted_private_key of {number}, version {version}");
        look.put(
            name,
            found.map(|found| found.map(|(_, key)| key.into_inner())),
            |key| hex(key),
        );
    }
}

type Both = (store::SafeRead, store::PrekeySafe);

fn safe_data((safe, _): &Both) -> Option<String> {
    Some(hex(&safe.data))
}

fn safe_wraps((safe, _): &Both) -> Option<String> {
    let shown =
        |wrap: &store::Wrap| format!("{} {} {}", wrap.kind.as_str(), wrap.made, hex(&*wrap.data));
    let mut wraps: Vec<String> = safe.wraps.iter().map(shown).collect();
    // Their order says nothing.
    wraps.sort();
    Some(wraps.concat())
}

/// A row that is gone reads as version 0, as after a restore.
fn prekey_data((_, prekeys): &Both) -> Option<String> {
    (prekeys.version > 0).then(|| hex(&prekeys.data))
}

/// A part of what was read, once more for each part.
fn each(
    result: &Result<Option<Both>, Fault>,
    part: impl Fn(&Both) -> Option<String>,
) -> Result<Option<String>, Fault> {
    match result {
        Ok(found) => Ok(found.as_ref().and_then(part)),
        Err(Fault::Damaged { table, row, reason }) => Err(Fault::Damaged {
            table,
            row: row.clone(),
            reason: reason.clone(),
        }),
        Err(other) => Err(Fault::Unavailable(other.to_string())),
    }
}

/// A list without damage, or its first damage.
fn whole<I, T>(listed: Result<Vec<(I, store::Listed<T>)>, Fault>) -> Result<Vec<T>, Fault> {
    let rows = listed?.into_iter();
    rows.map(|(_, row)| row.map_err(damaged)).collect()
}

fn damaged(damage: store::Damage) -> Fault {
    Fault::Damaged {
        table: damage.table,
        row: damage.row,
        reason: damage.reason,
    }
}

async fn record(store: &Store, id: u64, look: &mut Look) {
    let page = store
        .query_audit(AuditFilter::default(), Some(id + 1), 1)
        .await;
    let found = page.map(|page| {
        page.records
            .into_iter()
            .next()
            .filter(|record| record.id == id)
    });
    let found = found.and_then(|record| match record {
        Some(store::AuditRecord {
            damage: Some(damage),
            ..
        }) => Err(damaged(damage)),
        record => Ok(record),
    });
    if let Ok(Some(record)) = &found {
        // Debug leaves out what is sealed.
        look.clear(&format!("audit_log of {id}"), Ok((record, record.hash)));
    }
    let label = format!("audit_log.encrypted_details of {id}");
    look.put(label, found, |record| record.details.to_string());
}

/// What an offline verification of the file says; `None` where all is well.
pub(crate) fn offline(folder: &Folder) -> Option<String> {
    let file = match AuditFile::open(&folder.database()) {
        Ok(file) => file,
        Err(error) => return Some(error.to_string()),
    };
    let key = HeadSigningKey::from_bytes(&[7; 64]).verify_key();
    match file.verify(Verifier::new(Some(key), None)) {
        Ok(verdict) if verdict.findings.is_empty() => None,
        Ok(verdict) => Some(format!("{:?}", verdict.findings)),
        Err(error) => Some(error.to_string()),
    }
}

/// Tables and their rows, and sealed columns, as the schema has them.
pub(crate) fn sealed_columns(folder: &Folder) -> Vec<(String, String)> {
    let connection = folder.tamper();
    let mut columns = connection
        .prepare(
            "SELECT t.name, c.name FROM pragma_table_list t, pragma_table_info(t.name) c
             WHERE t.schema = 'main' AND c.name LIKE 'encrypted\\_%' ESCAPE '\\'
             ORDER BY t.name, c.name",
        )
        .unwrap();
    let rows = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Checks that there is something to look at: rows in every table, and a value seen of every sealed
/// column that a reader shows.
pub(crate) async fn assert_full(folder: &Folder, seens: &Seens) {
    let store = folder.open();
    for (table, rows) in store.table_counts().await.unwrap() {
        assert!(rows > 0, "{table} has no rows: fill it here");
    }
    store.close().unwrap();
    for (name, seen) in seens {
        assert!(matches!(seen, Seen::Value(_)), "{name}: {seen:?}");
    }
    for (table, column) in sealed_columns(folder) {
        let name = format!("{table}.{column}");
        let values = seens.keys().filter(|label| label.starts_with(&name));
        // Keys show in that the database opens, and that other values do.
        let shown = values.count() >= 2 || table == "keks" || table == "audit_keys";
        assert!(shown, "{name} is not looked at: read it here");
    }
    let expect = |name: &str, text: &str| {
        let value = match seens.get(name) {
            Some(Seen::Value(value)) => value.as_str(),
            _ => "not there",
        };
        assert!(value.contains(text), "{name}: {value}");
    };
    for number in PEOPLE {
        let of = |column: &str| format!("{column} of {number}");
        expect(
            &(of("users.encrypted_data") + " by id"),
            &format!("Alias {number}"),
        );
        let record = hex(format!("opaque record {number}").as_bytes());
        expect(&(of("users.encrypted_credential") + " by id"), &record);
        expect(
            &of("key_safes.encrypted_private_keys"),
            &hex(&sample::safe(1).data),
        );
        expect(
            &of("safe_wraps.encrypted_wrap"),
            &hex(&*sample::safe(1).wraps[1].data),
        );
        expect(
            &of("prekey_safes.encrypted_data"),
            &hex(&sample::prekey_safe(1).data),
        );
        expect(
            &(of("sessions.encrypted_data") + " by id"),
            "Sample Browser",
        );
    }
    for name in SECRETS {
        let label = format!("server_secrets.encrypted_secret of {name}");
        expect(&label, &hex(secret(name)));
    }
    let private = hex(&*sample::service_key(11).private_key.into_inner());
    expect(
        "service_keys.encrypted_private_key of 1, version 2",
        &private,
    );
    expect("audit_log.encrypted_details of 5", "192.0.2.77");
    assert_eq!(offline(folder), None);
}
