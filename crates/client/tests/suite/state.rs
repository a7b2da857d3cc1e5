//! What is stored, and how long keys live, does not depend on what a server, or a stranger, says once.

mod asking;
mod forge;
mod live;
mod marks;
mod numbers;
mod pairs;
mod prekeys;
mod promised;
mod rereads;
mod restart;
mod resting;
mod safes;
mod settings;
mod stock;
mod time;
mod writes;

use client::command::{Command, SettingsChange};
use client::testing::{PASSPHRASE, Reply, World};

/// Anything that writes the key safe.
fn switch(receipts: bool) -> Command {
    Command::SetSettings(SettingsChange {
        receipts: Some(receipts),
        ..SettingsChange::default()
    })
}

fn sign_in(handle: &str) -> Command {
    Command::SignIn {
        handle: handle.into(),
        passphrase: PASSPHRASE.into(),
        device_name: None,
    }
}

/// The server says another time from now on, to everybody: what it would be, changed.
fn server_says(world: &mut World, time: impl Fn(u64) -> u64 + 'static) {
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        let now = match &mut reply {
            Reply::Text(frame) if frame["t"] == "hello" => Some(&mut frame["now"]),
            Reply::Json { request, body, .. } if request == "GET /server" => Some(&mut body["now"]),
            _ => None,
        };
        if let Some(now) = now {
            *now = time(now.as_u64().unwrap()).into();
        }
        vec![reply]
    }));
}
