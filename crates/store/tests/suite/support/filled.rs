//! A database with a row of each kind that carries a tag.

use store::testing::sample::{self, NOW, user_id};
use store::{Act, AdminLink, Declaration, Fault, Intent, Invite, InviteHash, Role, Store};

use super::Folder;

static ACT: Act = Act {
    intent: "sample.intended",
    done: "sample.done",
    failed: "sample.failed",
};
pub(crate) const CODE: InviteHash = InviteHash::from_bytes([5; 32]);

/// Something that an administrator means to do.
pub(crate) async fn intent(store: &Store) -> Intent {
    let declaration = Declaration {
        user_id: None,
        act: &ACT,
        details: serde_json::json!({}),
    };
    store.declare(declaration, NOW).await.unwrap()
}

/// Two administrators and a member with all that they own, a link and an invite; closed.
pub(crate) async fn filled() -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..4, 4).await;
    let intent = intent(&store).await;
    for (number, role) in [(1, Role::Admin), (2, Role::Admin), (3, Role::User)] {
        store
            .set_role(user_id(number), role, &intent, NOW)
            .await
            .unwrap();
    }
    let link = AdminLink {
        hash: [9; 32],
        expires_at: NOW + 10,
    };
    store.keep_admin_link(link, &intent, NOW).await.unwrap();
    let invite = Invite {
        code_hash: CODE,
        created_by: user_id(1),
        created_at: NOW,
        expires_at: NOW + 10,
        max_uses: 1,
        uses: 0,
    };
    assert!(store.create_invite(invite, vec![]).await.unwrap());
    store.close().unwrap();
    folder
}

/// Changes one row in the file.
pub(crate) fn change(folder: &Folder, sql: &str) {
    let changed = folder.tamper().execute(sql, []).unwrap();
    assert_eq!(changed, 1, "{sql}");
}

/// Asks for damage in this table.
pub(crate) fn damaged<T: std::fmt::Debug>(what: &str, result: Result<T, Fault>, table: &str) {
    let is_damaged = matches!(&result, Err(Fault::Damaged { table: of, .. }) if of == &table);
    assert!(is_damaged, "{what}: {result:?}");
}
