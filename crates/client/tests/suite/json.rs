//! The JSON that pages speak: changing it breaks them, so it is pinned here.

use client::command::{Burn, ChatChange, SettingsChange};
use client::event::{Event, MessageState, MessageView, Phase, StateView, UnsentView};
use client::id::{ConversationId, MessageId, UserId};
use client::{Command, secret_text::SecretText};
use serde_json::{from_value, json, to_value};

fn chat() -> ConversationId {
    ConversationId::with(UserId::from_bytes([0xab; 16]))
}

const CHAT: &str = "abababababababababababababababab";

#[test]
fn commands_are_read_as_pages_write_them() {
    let cases = [
        (json!({"c": "start"}), Command::Start),
        (
            json!({"c": "send", "chat": CHAT, "text": "hello"}),
            Command::Send {
                chat: chat(),
                text: "hello".into(),
                burn: None,
                life_secs: None,
                tag: None,
            },
        ),
        (
            json!({"c": "send", "chat": CHAT, "text": "x", "burn": {"after": 30}, "life_secs": 60}),
            Command::Send {
                chat: chat(),
                text: "x".into(),
                burn: Some(Burn::After(30)),
                life_secs: Some(60),
                tag: None,
            },
        ),
        (
            json!({"c": "set_chat", "chat": CHAT, "muted": true, "burn": "on_read"}),
            Command::SetChat {
                chat: chat(),
                change: ChatChange {
                    muted: Some(true),
                    burn: Some(Burn::OnRead),
                    ..ChatChange::default()
                },
            },
        ),
        (
            json!({"c": "revoke_other_sessions", "passphrase": "p"}),
            Command::RevokeOtherSessions {
                passphrase: "p".into(),
            },
        ),
        (
            json!({"c": "new_identity", "passphrase": "p"}),
            Command::NewIdentity {
                passphrase: "p".into(),
            },
        ),
        (
            json!({"c": "delete_account", "passphrase": "p"}),
            Command::DeleteAccount {
                passphrase: "p".into(),
            },
        ),
        (
            json!({"c": "set_settings", "lock_after_secs": 300}),
            Command::SetSettings(SettingsChange {
                lock_after_secs: Some(300),
                ..SettingsChange::default()
            }),
        ),
        (
            json!({"c": "request_contact", "handle": "bob"}),
            Command::RequestContact {
                handle: "bob".into(),
                greeting: SecretText::default(),
            },
        ),
        (
            json!({"c": "register", "handle": "a", "alias": "", "passphrase": "p", "setup": "5e"}),
            Command::Register {
                handle: "a".into(),
                alias: String::new(),
                passphrase: "p".into(),
                setup: Some("5e".into()),
                invite: None,
            },
        ),
    ];
    for (json, command) in cases {
        assert_eq!(from_value::<Command>(json).unwrap(), command);
    }
}

#[test]
fn an_id_that_is_not_32_lower_case_digits_is_no_command() {
    for id in ["ABABABABABABABABABABABABABABABAB", "ab", ""] {
        assert!(from_value::<Command>(json!({"c": "open_chat", "chat": id})).is_err());
    }
}

#[test]
fn events_are_written_as_pages_read_them() {
    let state = Event::State(StateView {
        state: Phase::SignedOut,
        reason: "started".into(),
        me: None,
        unsent: Vec::new(),
    });
    assert_eq!(
        to_value(state).unwrap(),
        json!({"e": "state", "state": "signed_out", "reason": "started", "me": null})
    );
    let locked = Event::State(StateView {
        state: Phase::Locked,
        reason: "user".into(),
        me: None,
        unsent: vec![UnsentView {
            chat: chat(),
            messages: 2,
        }],
    });
    assert_eq!(
        to_value(locked).unwrap(),
        json!({"e": "state", "state": "locked", "reason": "user", "me": null,
            "unsent": [{"chat": CHAT, "messages": 2}]})
    );
    assert_eq!(
        to_value(Event::IdentityReplaced).unwrap(),
        json!({"e": "identity_replaced"})
    );
    let message = Event::Message {
        chat: chat(),
        message: MessageView {
            id: MessageId::from_bytes([0xab; 16]),
            mine: true,
            text: Some("hi".into()),
            sealed: false,
            sent_ms: 1,
            seen_ms: 2,
            place: 4,
            state: MessageState::Waiting,
            by_server: false,
            taken: false,
            path: "live".into(),
            expires_at: Some(3),
            burn: Burn::After(5),
            burns_ms: None,
            edited: false,
            failure: None,
            failure_text: None,
            warnings: vec![],
            tag: None,
            spoken: None,
        },
    };
    assert_eq!(
        to_value(message).unwrap(),
        json!({"e": "message", "chat": CHAT, "message": {
            "id": CHAT, "mine": true, "text": "hi", "sealed": false, "sent_ms": 1, "seen_ms": 2,
            "place": 4, "state": "waiting", "by_server": false, "taken": false,
            "path": "live", "expires_at": 3,
            "burn": {"after": 5}, "burns_ms": null, "edited": false, "warnings": []}})
    );
}

#[test]
fn passphrases_and_texts_never_show_in_debug_output() {
    let commands = [
        Command::SignIn {
            handle: "alice".into(),
            passphrase: "the-secret".into(),
            device_name: None,
        },
        Command::Recover {
            handle: "alice".into(),
            recovery_key: "the-secret".into(),
            passphrase: "the-secret".into(),
        },
        Command::NewIdentity {
            passphrase: "the-secret".into(),
        },
        Command::RevokeOtherSessions {
            passphrase: "the-secret".into(),
        },
        Command::DeleteAccount {
            passphrase: "the-secret".into(),
        },
        Command::Send {
            chat: chat(),
            text: "the-secret".into(),
            burn: None,
            life_secs: None,
            tag: None,
        },
    ];
    for command in commands {
        let shown = format!("{command:?}");
        assert!(!shown.contains("the-secret"), "{shown}");
        assert!(shown.contains("SecretText(redacted)"));
    }
}

#[test]
fn an_invite_of_which_nothing_else_is_told_may_be_used_once() {
    let json = serde_json::json!({"id": "0a".repeat(32), "expires_at": 5});
    let view: client::event::Invite = serde_json::from_value(json).unwrap();
    assert_eq!((view.max_uses, view.uses), (1, 0));
}
