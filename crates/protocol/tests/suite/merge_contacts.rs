//! Two views of one contact are joined alike, whichever comes first.

use proptest::prelude::*;
use protocol::identity::Fingerprint;
use protocol::safe::{Contact, ContactState};

use crate::support::NOW;

fn fingerprint(n: u8) -> Fingerprint {
    Fingerprint::from_bytes([n; 64])
}

#[derive(Debug, Clone)]
enum Fact {
    State(ContactState),
    Handle(u8),
    Alias(u8),
    Receipts(Option<bool>),
    Life(Option<u32>),
    Burn(Option<bool>),
    Muted(bool),
    OtherKeys(Option<u8>),
    Said(Option<u8>),
    Repin(u8),
    Verified(bool),
}

fn facts() -> impl Strategy<Value = Contact> {
    let state = prop_oneof![
        Just(ContactState::Incoming),
        Just(ContactState::Outgoing),
        Just(ContactState::Accepted),
        Just(ContactState::Removed),
    ];
    let fact = prop_oneof![
        state.prop_map(Fact::State),
        (0_u8..3).prop_map(Fact::Handle),
        (0_u8..3).prop_map(Fact::Alias),
        any::<Option<bool>>().prop_map(Fact::Receipts),
        proptest::option::of(0_u32..3).prop_map(Fact::Life),
        any::<Option<bool>>().prop_map(Fact::Burn),
        any::<bool>().prop_map(Fact::Muted),
        proptest::option::of(0_u8..3).prop_map(Fact::OtherKeys),
        proptest::option::of(0_u8..3).prop_map(Fact::Said),
        (0_u8..3).prop_map(Fact::Repin),
        any::<bool>().prop_map(Fact::Verified),
    ];
    let facts = proptest::collection::vec((0_u64..3, fact), 0..12);
    (0_u8..3, 0_u32..3, facts).prop_map(|(pin, batch_seen, facts)| {
        let mut contact = Contact::new(fingerprint(pin), ContactState::Incoming, NOW);
        contact.batch_seen = batch_seen;
        for (later, fact) in facts {
            let at = NOW + later;
            match fact {
                Fact::State(state) => contact.state.set(at, state),
                Fact::Handle(n) => contact.handle.set(at, format!("{n}").into()),
                Fact::Alias(n) => contact.alias.set(at, format!("{n}").into()),
                Fact::Receipts(on) => contact.receipts.set(at, on),
                Fact::Life(secs) => contact.life_secs.set(at, secs),
                Fact::Burn(on) => contact.burn_on_read.set(at, on),
                Fact::Muted(on) => contact.muted.set(at, on),
                Fact::OtherKeys(n) => contact.other_keys.set(at, n.map(fingerprint)),
                Fact::Said(n) => contact.said.set(at, n.map(|n| ([n; 32], at))),
                Fact::Repin(n) => contact.accept_identity(fingerprint(n), at),
                Fact::Verified(mark) => contact.pin.set_verified(mark, at),
            }
        }
        contact
    })
}

proptest! {
    #[test]
    fn contacts_merge_alike_in_any_order(a in facts(), b in facts(), c in facts()) {
        let merged = |a: &Contact, b: &Contact| {
            let mut both = a.clone();
            both.merge(b.clone());
            both
        };
        let both = merged(&a, &b);
        prop_assert_eq!(&both, &merged(&b, &a));
        prop_assert_eq!(merged(&both, &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(&merged(&a, &a), &a);
        prop_assert_eq!(&merged(&both, &a), &both);
        prop_assert_eq!(&both.state, (&a.state).max(&b.state));
        prop_assert_eq!(&both.alias, (&a.alias).max(&b.alias));
        prop_assert_eq!(&both.muted, (&a.muted).max(&b.muted));
        prop_assert_eq!(&both.said, (&a.said).max(&b.said));
    }
}
