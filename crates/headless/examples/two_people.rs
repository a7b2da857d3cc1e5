//! Two people register on a running server and chat: `two_people http://127.0.0.1:8080 SETUP-SECRET`.

use client::Command;
use client::event::MessageState;
use headless::{Headless, HeadlessError};

const PASSPHRASE: &str = "six words that nobody has ever said";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), HeadlessError> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or("http://127.0.0.1:8080".into());
    let setup = arguments.next();
    let mut alice = Headless::connect(&url).await?;
    alice
        .register("alice", PASSPHRASE, setup.as_deref(), None)
        .await?;
    println!("alice is registered");
    if setup.is_some() {
        alice.command(Command::SetRegistration {
            mode: "open".into(),
        })?;
        alice
            .expect(|e| matches!(e, client::Event::Server(view) if view.registration == api::RegistrationMode::Open))
            .await?;
    }
    let mut bob = Headless::connect(&url).await?;
    bob.register("bob", PASSPHRASE, None, None).await?;
    println!("bob is registered");
    alice.online().await?;
    bob.online().await?;
    let to_bob = alice.request_contact("bob").await?;
    let to_alice = bob.accept_request().await?;
    println!("they are contacts");
    let sent = alice.say(to_bob, "hello bob").await?;
    println!("sent on the {} path", sent.path);
    bob.read(to_alice, "hello bob").await?;
    alice
        .message(|m| m.id == sent.id && m.state == MessageState::Read && !m.by_server)
        .await?;
    println!("bob has read it");
    let profile = bob.abandon();
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let waiting = alice.say(to_bob, "while you were away").await?;
    println!("sent on the {} path", waiting.path);
    let mut bob = Headless::open(&url, profile).await?;
    bob.read(to_alice, "while you were away").await?;
    alice
        .message(|m| m.id == waiting.id && m.state == MessageState::Read && !m.by_server)
        .await?;
    println!("bob has read it after a reload");
    Ok(())
}
