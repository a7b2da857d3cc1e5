//! Registrations and sign-ins through HTTP, over an echo of as many bytes.
//!
//! What a client computes between its two requests is not measured, and its passphrase is not stretched.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use api::Blob;
use api::bodies::{SignInFinish, SignInStart, SignInStarted};
use opaque_ke::{ClientLogin, ClientLoginFinishParameters, CredentialResponse};
use protocol::labels::OPAQUE_CONTEXT;
use protocol::prekeys::ONE_TIME_AT_REGISTRATION;

use crate::echo::Echo;
use crate::load::{Outcome, Plan, checked, post, run as load};
use crate::people::{CONNECTIONS, body, handle, phase, register};
use crate::quick::{PASSPHRASE, Quick, Random};
use crate::report::{Aim, Report};
use crate::subject::Subject;

const ACCOUNTS: usize = 2_000;

/// Measures and reports.
pub(crate) async fn run(report: &mut Report) -> io::Result<()> {
    let subject = Subject::start().await?;
    let echo = Echo::start()?;
    let addresses = subject.addresses();
    let registered = register(&addresses, ACCOUNTS).await?;
    let (signed_in, sign_in_bytes) = sign_in(&addresses, ACCOUNTS).await?;
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
            addresses: vec![echo.address],
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

/// Of two requests for each, how many a second.
pub(crate) fn rate(first: &Outcome, second: &Outcome) -> f64 {
    first.succeeded as f64 / (first.elapsed + second.elapsed).as_secs_f64()
}

/// Signs in those who are registered.
pub(crate) async fn sign_in(
    addresses: &[SocketAddr],
    count: usize,
) -> io::Result<((Outcome, Outcome), usize)> {
    let begun = ClientLogin::<Quick>::start(&mut Random, PASSPHRASE).map_err(io::Error::other)?;
    let request = begun.message.serialize().to_vec();
    let bodies = (0..count).map(|number| {
        body(&SignInStart {
            handle: handle(number),
            request: Blob::new(request.clone()),
        })
    });
    let (started, replies) =
        phase(addresses, "/api/v1/session/start", 200, bodies.collect()).await?;
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
    let (finished, _) = phase(addresses, "/api/v1/session/finish", 200, bodies).await?;
    Ok(((started, finished), bytes))
}
