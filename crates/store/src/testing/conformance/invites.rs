use super::Fixture;
use crate::testing::sample::{self, NOW, handle, session, user, user_id};
use crate::{Admission, Invite, InviteHash, RegisterError};

fn invite(number: u8, max_uses: u32) -> Invite {
    Invite {
        code_hash: InviteHash::from_bytes([number; 32]),
        created_by: user_id(1),
        created_at: NOW + u64::from(number),
        expires_at: NOW + 3_600,
        max_uses,
        uses: 0,
    }
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
        let mut new = user(number, 0, Admission::Invite(invite.code_hash));
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
    let mut late = user(2, 0, Admission::Invite(invite.code_hash));
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
