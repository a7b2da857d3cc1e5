use super::Fixture;
use crate::testing::sample::{self, NOW, event, handle, session, user, user_id};
use crate::{
    Admission, AuditFilter, Invite, InviteCode, InviteUse, RegisterError, UseInviteError,
    hash_invite_code,
};

fn invite(number: u8, max_uses: u32) -> Invite {
    Invite {
        code_hash: hash_invite_code(&InviteCode::from_bytes([number; 16])),
        created_by: user_id(1),
        created_at: NOW + u64::from(number),
        expires_at: NOW + 3_600,
        max_uses,
        uses: 0,
    }
}

fn by(number: u64, invite: u8) -> InviteUse {
    InviteUse::of(&InviteCode::from_bytes([invite; 16]), user_id(number))
}

pub async fn an_invite_is_used_up_and_given_back_by_a_refusal(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    let invite = invite(7, 2);
    assert!(store.create_invite(invite.clone(), vec![]).await.unwrap());
    assert!(
        !store.create_invite(invite.clone(), vec![]).await.unwrap(),
        "the same code"
    );
    let uses = || async {
        store
            .find_invite(invite.code_hash)
            .await
            .unwrap()
            .unwrap()
            .uses
    };
    let register = |number: u64, name: String| {
        let mut new = user(number, 0, Admission::Invite(by(number, 7)));
        new.handle = name.into();
        store.register(new, session(user_id(number), number, NOW), vec![])
    };
    register(2, handle(2)).await.unwrap();
    assert_eq!(uses().await, 1);
    let taken = register(3, handle(2)).await;
    assert!(matches!(taken, Err(RegisterError::HandleTaken)));
    assert_eq!(uses().await, 1, "a refused registration gives the use back");
    register(3, handle(3)).await.unwrap();
    assert!(
        !store
            .find_invite(invite.code_hash)
            .await
            .unwrap()
            .unwrap()
            .is_usable(NOW)
    );
    let refused = register(4, handle(4)).await;
    assert!(matches!(refused, Err(RegisterError::InviteUnusable)));
    assert_eq!(uses().await, 2);
}

pub async fn an_invite_expires_and_is_pruned(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    let invite = invite(7, 1);
    store.create_invite(invite.clone(), vec![]).await.unwrap();
    let mut late = user(2, 0, Admission::Invite(by(2, 7)));
    late.created_at = invite.expires_at;
    let late = store
        .register(late, session(user_id(2), 2, NOW), vec![])
        .await;
    assert!(matches!(late, Err(RegisterError::InviteUnusable)));
    assert_eq!(store.prune_invites(invite.expires_at - 1).await.unwrap(), 0);
    assert_eq!(store.prune_invites(invite.expires_at).await.unwrap(), 1);
    assert!(store.find_invite(invite.code_hash).await.unwrap().is_none());
}

pub async fn only_its_maker_withdraws_an_invite(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..3, 0).await;
    for number in [1, 2] {
        store
            .create_invite(invite(number, 1), vec![])
            .await
            .unwrap();
    }
    let code = invite(1, 1).code_hash;
    assert!(!store.delete_invite(user_id(2), code, vec![]).await.unwrap());
    let listed = store.list_invites(user_id(1)).await.unwrap();
    assert_eq!(listed, [invite(2, 1), invite(1, 1)], "newest first");
    assert!(store.delete_invite(user_id(1), code, vec![]).await.unwrap());
    assert_eq!(
        store.list_invites(user_id(1)).await.unwrap(),
        [invite(2, 1)]
    );
    assert!(store.list_invites(user_id(2)).await.unwrap().is_empty());
}

pub async fn an_account_uses_an_invite_once_with_its_record(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..5, 0).await;
    let invite = invite(7, 2);
    store.create_invite(invite.clone(), vec![]).await.unwrap();
    let uses = || async {
        let found = store.find_invite(invite.code_hash).await.unwrap().unwrap();
        let filter = AuditFilter {
            action: Some("invite.used".to_owned()),
            ..AuditFilter::default()
        };
        (found.uses, store.count_audit(filter).await.unwrap())
    };
    let use_it = |number: u64, now: u64| {
        let record = event(Some(user_id(number)), "invite.used", now);
        store.use_invite(by(number, 7), now, vec![record])
    };
    let own = use_it(1, NOW).await;
    assert!(matches!(own, Err(UseInviteError::Own)), "{own:?}");
    assert_eq!(uses().await, (0, 0));
    assert!(use_it(2, NOW).await.unwrap());
    assert!(!use_it(2, NOW).await.unwrap(), "the same account");
    assert_eq!(uses().await, (1, 1));
    assert!(use_it(3, NOW).await.unwrap());
    assert!(!use_it(2, NOW).await.unwrap(), "still, when it is used up");
    let refused = use_it(4, NOW).await;
    assert!(
        matches!(refused, Err(UseInviteError::Unusable)),
        "{refused:?}"
    );
    let late = use_it(2, invite.expires_at).await;
    assert!(matches!(late, Err(UseInviteError::Unusable)), "{late:?}");
    assert_eq!(uses().await, (2, 2));
    let unknown = store.use_invite(by(4, 8), NOW, vec![]).await;
    assert!(matches!(unknown, Err(UseInviteError::Unusable)));
    let code = invite.code_hash;
    assert!(store.delete_invite(user_id(1), code, vec![]).await.unwrap());
    let withdrawn = use_it(3, NOW).await;
    assert!(matches!(withdrawn, Err(UseInviteError::Unusable)));
}

pub async fn whoever_registered_with_an_invite_has_used_it(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    let invite = invite(7, 1);
    store.create_invite(invite.clone(), vec![]).await.unwrap();
    let new = user(2, 0, Admission::Invite(by(2, 7)));
    let session = session(user_id(2), 2, NOW);
    store.register(new, session, vec![]).await.unwrap();
    assert!(!store.use_invite(by(2, 7), NOW, vec![]).await.unwrap());
    let found = store.find_invite(invite.code_hash).await.unwrap().unwrap();
    assert_eq!(found.uses, 1);
}
