//! People who are registered without a browser, with the keys that open their links.
//!
//! What a client computes is not measured, and a passphrase is not stretched.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use api::bodies::{
    Entered, NewWrap, RegistrationFinish, RegistrationStart, RegistrationStarted, SafeData,
    SafeWrite,
};
use api::ids::SessionId;
use api::{Blob, WrapKind};
use opaque_ke::{ClientRegistration, ClientRegistrationFinishParameters, RegistrationResponse};
use protocol::epoch::LocalParty;
use protocol::identity::{AccountKeys, AccountSecrets};
use protocol::ids::UserId;
use protocol::prekeys::{ONE_TIME_AT_REGISTRATION, generate_batch};
use zeroize::Zeroizing;

use crate::load::{Outcome, Plan, Reply, checked, json, run as load};
use crate::quick::{PASSPHRASE, Quick, Random};

/// Connections over which people register and sign in.
pub(crate) const CONNECTIONS: usize = 16;

/// Somebody who is registered and signed in.
pub(crate) struct Person {
    /// `Cookie` header.
    pub cookies: String,
    /// The account.
    pub id: UserId,
    /// The session of the cookie.
    pub session: SessionId,
    keys: Arc<Keys>,
}

impl Person {
    /// The side of this account in a proof.
    pub(crate) fn party(&self) -> LocalParty<'_> {
        LocalParty {
            user_id: self.id,
            secrets: &self.keys.secrets,
            keys: &self.keys.public,
        }
    }
}

/// The keys of everybody who registers at once.
struct Keys {
    secrets: AccountSecrets,
    public: AccountKeys,
}

/// People who registered, and how long that took.
pub(crate) struct Registered {
    /// In the order of their handles.
    pub people: Vec<Person>,
    /// The first requests.
    pub started: Outcome,
    /// The second requests.
    pub finished: Outcome,
    /// Bytes of a second request.
    pub bytes: usize,
}

/// Registers so many people, a multiple of the connections.
pub(crate) async fn register(addresses: &[SocketAddr], count: usize) -> io::Result<Registered> {
    register_from(addresses, 0, count).await
}

/// Registers so many people whose numbers begin here.
pub(crate) async fn register_from(
    addresses: &[SocketAddr],
    first: usize,
    count: usize,
) -> io::Result<Registered> {
    enrol(
        addresses,
        (first..first + count).map(handle).collect(),
        None,
    )
    .await
}

/// Registers one; the first at a server needs the secret of its set-up link.
pub(crate) async fn register_one(
    address: SocketAddr,
    handle: &str,
    setup: Option<&str>,
) -> io::Result<Person> {
    let registered = enrol(&[address], vec![handle.to_owned()], setup).await?;
    let mut people = registered.people.into_iter();
    people.next().ok_or_else(|| io::ErrorKind::NotFound.into())
}

async fn enrol(
    addresses: &[SocketAddr],
    handles: Vec<String>,
    setup: Option<&str>,
) -> io::Result<Registered> {
    let begun =
        ClientRegistration::<Quick>::start(&mut Random, PASSPHRASE).map_err(io::Error::other)?;
    let request = begun.message.serialize().to_vec();
    let bodies = handles.iter().map(|handle| {
        body(&RegistrationStart {
            handle: handle.clone(),
            request: Blob::new(request.clone()),
            setup: setup.map(|secret| Zeroizing::new(secret.to_owned())),
            invite: None,
        })
    });
    let (started, replies) = phase(
        addresses,
        "/api/v1/registration/start",
        200,
        bodies.collect(),
    )
    .await?;
    let secrets = AccountSecrets::generate(&mut ambient::Ambient::system().rng());
    let public = secrets.account_keys(&mut ambient::Ambient::system().rng());
    let mut bodies = Vec::with_capacity(handles.len());
    for (handle, reply) in handles.iter().zip(&replies) {
        let answer: RegistrationStarted = serde_json::from_slice(&reply.body)?;
        let response = RegistrationResponse::<Quick>::deserialize(&answer.response)
            .map_err(io::Error::other)?;
        let parameters = ClientRegistrationFinishParameters::default();
        let done = begun
            .state
            .clone()
            .finish(&mut Random, PASSPHRASE, response, parameters)
            .map_err(io::Error::other)?;
        let pairs = ONE_TIME_AT_REGISTRATION as u32;
        let batch = generate_batch(
            &mut ambient::Ambient::system().rng(),
            &secrets,
            answer.user_id,
            1,
            pairs as usize,
            ambient::Ambient::system().now(),
            &BTreeSet::new(),
        );
        let wrap = |kind| NewWrap {
            kind,
            data: Blob::new(vec![0x54; 72]),
        };
        bodies.push(body(&RegistrationFinish {
            token: answer.token,
            upload: Blob::new(done.message.serialize().to_vec()),
            alias: handle.clone(),
            public_keys: Blob::new(public.encode()),
            safe: SafeWrite {
                version: 1,
                data: Blob::new(vec![0x53; 4_096]),
                wraps: WrapKind::OF_EVERY_ACCOUNT.map(wrap).into(),
                write_proof_hash: Blob::new(vec![0x56; 32]),
                recovery_proof_hash: Blob::new(vec![0x57; 32]),
            },
            prekey_safe: SafeData {
                version: 1,
                data: Blob::new(vec![0x58; 4_096]),
            },
            prekeys: Blob::new(batch.signed.encode()),
            device_name: None,
        }));
    }
    let bytes = bodies.first().map_or(0, Vec::len);
    let (finished, replies) = phase(addresses, "/api/v1/registration/finish", 201, bodies).await?;
    let keys = Arc::new(Keys { secrets, public });
    let mut people = Vec::with_capacity(replies.len());
    for reply in replies {
        let entered: Entered = serde_json::from_slice(&reply.body)?;
        people.push(Person {
            cookies: reply.cookies,
            id: entered.user_id,
            session: entered.session_id,
            keys: Arc::clone(&keys),
        });
    }
    Ok(Registered {
        people,
        started,
        finished,
        bytes,
    })
}

/// Sends each body once; gives the replies in the same order.
pub(crate) async fn phase(
    addresses: &[SocketAddr],
    path: &'static str,
    expect: u16,
    bodies: Vec<Vec<u8>>,
) -> io::Result<(Outcome, Vec<Reply>)> {
    let requests = bodies.len();
    let connections = CONNECTIONS.min(requests);
    let each = requests / connections;
    let mut replies = Vec::with_capacity(requests);
    let plan = Plan {
        addresses: addresses.to_vec(),
        connections,
        requests,
        expect,
        request: Arc::new(move |connection, turn, buffer| {
            buffer.extend_from_slice(&json(path, "", &bodies[connection * each + turn]));
        }),
    };
    let outcome = checked(load(plan, Some(&mut replies)).await?)?;
    replies.sort_unstable_by_key(|(connection, turn, _)| (*connection, *turn));
    Ok((
        outcome,
        replies.into_iter().map(|(_, _, reply)| reply).collect(),
    ))
}

/// The handle of somebody by a number.
pub(crate) fn handle(number: usize) -> String {
    format!("person{number}")
}

/// A body of JSON.
pub(crate) fn body(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("a body is JSON")
}
