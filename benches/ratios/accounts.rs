//! Registrations and sign-ins through HTTP, over an echo of as many bytes.
//!
//! What a client computes between its two requests is not measured, and its passphrase is not stretched.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use api::bodies::{
    NewWrap, RegistrationFinish, RegistrationStart, RegistrationStarted, SafeData, SafeWrite,
    SignInFinish, SignInStart, SignInStarted,
};
use api::{Blob, WrapKind};
use opaque_ke::rand::{CryptoRng, Error, RngCore};
use opaque_ke::{
    CipherSuite, ClientLogin, ClientLoginFinishParameters, ClientRegistration,
    ClientRegistrationFinishParameters, CredentialResponse, RegistrationResponse,
};
use protocol::identity::AccountSecrets;
use protocol::ids::UserId;
use protocol::labels::OPAQUE_CONTEXT;
use protocol::opaque::Suite;
use protocol::prekeys::{ONE_TIME_AT_REGISTRATION, generate_batch};

use crate::echo::Echo;
use crate::load::{Outcome, Plan, Reply, checked, json, post, run as load};
use crate::report::{Aim, Report};
use crate::subject::Subject;

const CONNECTIONS: usize = 16;
const ACCOUNTS: usize = 2_000;
const PASSPHRASE: &[u8] = b"granite otter velvet mosaic turbine lantern";

/// The product's suite for clients that do not stretch their passphrase.
struct Quick;

impl CipherSuite for Quick {
    type OprfCs = <Suite as CipherSuite>::OprfCs;
    type KeyExchange = <Suite as CipherSuite>::KeyExchange;
    type Ksf = opaque_ke::ksf::Identity;
}

/// The system's randomness.
struct Random;

impl RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        ambient::Entropy::fill(&ambient::OsEntropy, bytes).expect("the system has randomness");
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Random {}

/// Somebody who is registered and signed in.
pub(crate) struct Person {
    /// `Cookie` header.
    pub cookies: String,
    /// The account.
    pub id: UserId,
}

/// People who registered, and how long that took.
pub(crate) struct Registered {
    /// In the order of their handles.
    pub people: Vec<Person>,
    started: Outcome,
    finished: Outcome,
    bytes: usize,
}

/// Measures and reports.
pub(crate) async fn run(report: &mut Report) -> io::Result<()> {
    let subject = Subject::start().await?;
    let echo = Echo::start()?;
    let registered = register(subject.address, ACCOUNTS).await?;
    let (signed_in, sign_in_bytes) = sign_in(subject.address, ACCOUNTS).await?;
    for (name, both, bytes) in [
        (
            "registrations through HTTP / echo of as many bytes",
            rate(&registered.started, &registered.finished),
            registered.bytes,
        ),
        (
            "sign-ins through HTTP / echo of as many bytes",
            rate(&signed_in.0, &signed_in.1),
            sign_in_bytes,
        ),
    ] {
        let request = post("/echo", "", &vec![b'x'; bytes]);
        let plan = Plan {
            address: echo.address,
            connections: CONNECTIONS,
            requests: ACCOUNTS,
            expect: 200,
            request: Arc::new(move |_, _, buffer| buffer.extend_from_slice(&request)),
        };
        let echoed = checked(load(plan, None).await?)?;
        report.row(
            name,
            (both, "/s"),
            (echoed.rate(), "/s"),
            Aim::OursAtLeast(3_000.0),
        );
    }
    report.note(format!("{ACCOUNTS} accounts over {CONNECTIONS} connections, two requests for each registration and each sign-in; a registration sends {} KiB, with {ONE_TIME_AT_REGISTRATION} one-time pairs.", registered.bytes / 1024));
    Ok(())
}

fn rate(first: &Outcome, second: &Outcome) -> f64 {
    first.succeeded as f64 / (first.elapsed + second.elapsed).as_secs_f64()
}

/// Registers so many people, a multiple of the connections, all with one passphrase.
pub(crate) async fn register(address: SocketAddr, count: usize) -> io::Result<Registered> {
    let begun =
        ClientRegistration::<Quick>::start(&mut Random, PASSPHRASE).map_err(io::Error::other)?;
    let request = begun.message.serialize().to_vec();
    let bodies = (0..count).map(|number| {
        body(&RegistrationStart {
            handle: handle(number),
            request: Blob::new(request.clone()),
            setup: None,
            invite: None,
        })
    });
    let (started, replies) =
        phase(address, "/api/v1/registration/start", 200, bodies.collect()).await?;
    let secrets = AccountSecrets::generate(&mut ambient::Ambient::system().rng());
    let keys = secrets
        .account_keys(&mut ambient::Ambient::system().rng())
        .encode();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_err(io::Error::other)?
        .as_secs();
    let mut ids = Vec::with_capacity(count);
    let mut bodies = Vec::with_capacity(count);
    for (number, reply) in replies.iter().enumerate() {
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
            now,
            &BTreeSet::new(),
        );
        let wrap = |kind| NewWrap {
            kind,
            data: Blob::new(vec![0x54; 72]),
        };
        ids.push(answer.user_id);
        bodies.push(body(&RegistrationFinish {
            token: answer.token,
            upload: Blob::new(done.message.serialize().to_vec()),
            alias: handle(number),
            public_keys: Blob::new(keys.clone()),
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
    let (finished, replies) = phase(address, "/api/v1/registration/finish", 200, bodies).await?;
    let people = replies.into_iter().zip(ids);
    Ok(Registered {
        people: people
            .map(|(reply, id)| Person {
                cookies: reply.cookies,
                id,
            })
            .collect(),
        started,
        finished,
        bytes,
    })
}

/// Signs in those who are registered.
async fn sign_in(address: SocketAddr, count: usize) -> io::Result<((Outcome, Outcome), usize)> {
    let begun = ClientLogin::<Quick>::start(&mut Random, PASSPHRASE).map_err(io::Error::other)?;
    let request = begun.message.serialize().to_vec();
    let bodies = (0..count).map(|number| {
        body(&SignInStart {
            handle: handle(number),
            request: Blob::new(request.clone()),
        })
    });
    let (started, replies) = phase(address, "/api/v1/session/start", 200, bodies.collect()).await?;
    let computing = Instant::now();
    let mut bodies = Vec::with_capacity(count);
    for reply in replies {
        let answer: SignInStarted = serde_json::from_slice(&reply.body)?;
        let response =
            CredentialResponse::<Quick>::deserialize(&answer.response).map_err(io::Error::other)?;
        let parameters =
            ClientLoginFinishParameters::new(Some(OPAQUE_CONTEXT), Default::default(), None);
        let done = begun
            .state
            .clone()
            .finish(&mut Random, PASSPHRASE, response, parameters)
            .map_err(io::Error::other)?;
        bodies.push(body(&SignInFinish {
            token: answer.token,
            finalization: Blob::new(done.message.serialize().to_vec()),
            device_name: None,
        }));
    }
    if computing.elapsed().as_secs() > 50 {
        return Err(io::Error::other("the client was too slow for its tokens"));
    }
    let bytes = bodies.first().map_or(0, Vec::len);
    let (finished, _) = phase(address, "/api/v1/session/finish", 200, bodies).await?;
    Ok(((started, finished), bytes))
}

/// Sends each body once; gives the replies in the same order.
async fn phase(
    address: SocketAddr,
    path: &'static str,
    expect: u16,
    bodies: Vec<Vec<u8>>,
) -> io::Result<(Outcome, Vec<Reply>)> {
    let requests = bodies.len();
    let each = requests / CONNECTIONS;
    let mut replies = Vec::with_capacity(requests);
    let plan = Plan {
        address,
        connections: CONNECTIONS,
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

fn handle(number: usize) -> String {
    format!("person{number}")
}

fn body(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("a body is JSON")
}
