//! Notifies the service manager, as `sd_notify(3)` describes.
//!
//! systemd puts the address of a datagram socket into `NOTIFY_SOCKET`. Without it, nothing is sent. The `sd-notify`
//! crate (0.5) knows no abstract addresses, which begin with `@`, and waits for a manager that does not read.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The service manager, if there is one.
#[derive(Debug)]
pub struct Service {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Service {
    /// Finds the manager that started this process.
    pub fn from_environment() -> Self {
        Self::found_by(&|name| std::env::var_os(name))
    }

    fn found_by(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let address = variable("NOTIFY_SOCKET").filter(|address| !address.is_empty());
        let socket = address.and_then(|address| match connect(&address) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(%error, "the service manager cannot be told anything");
                None
            }
        });
        Self {
            watchdog: socket.as_ref().and_then(|_| watchdog(variable)),
            socket,
        }
    }

    /// Reports that the server answers requests.
    pub fn ready(&self) {
        self.say("READY=1\nSTATUS=Serving");
    }

    /// Reports that the server stops.
    pub fn stopping(&self) {
        self.say("STOPPING=1\nSTATUS=Wiping what is held");
    }

    /// Sends a sign of life as often as the manager asked for; runs where the jobs run, so that it ends when
    /// they stall.
    pub async fn stay_alive(&self) {
        let Some(interval) = self.watchdog else {
            return std::future::pending().await;
        };
        loop {
            self.say("WATCHDOG=1");
            tokio::time::sleep(interval / 2).await;
        }
    }

    fn say(&self, words: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(words.as_bytes())
        {
            tracing::warn!(%error, "the service manager cannot be told anything");
        }
    }
}

fn connect(address: &std::ffi::OsStr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    // A manager that does not listen must not stop what serves.
    socket.set_nonblocking(true)?;
    match address.as_bytes() {
        [b'@', name @ ..] => socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?,
        _ => socket.connect(address)?,
    }
    Ok(socket)
}

/// Returns how long the manager waits for a sign of life, if it expects any of this process.
fn watchdog(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<Duration> {
    let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
    if let Some(pid) = number("WATCHDOG_PID")
        && pid != u64::from(std::process::id())
    {
        return None;
    }
    let micros = number("WATCHDOG_USEC").filter(|micros| *micros > 0)?;
    Some(Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    fn service(variables: &[(&str, &str)]) -> Service {
        Service::found_by(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[tokio::test]
    async fn the_manager_hears_when_it_serves_that_it_lives_and_when_it_ends() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let pid = std::process::id().to_string();
        let service = service(&[
            ("NOTIFY_SOCKET", path.to_str().unwrap()),
            ("WATCHDOG_USEC", "1000"),
            ("WATCHDOG_PID", &pid),
        ]);
        service.ready();
        assert!(heard(&manager).starts_with("READY=1\n"));
        let listening = tokio::task::spawn_blocking(move || {
            for _ in 0..3 {
                assert_eq!(heard(&manager), "WATCHDOG=1");
            }
            manager
        });
        let manager = tokio::select! {
            () = service.stay_alive() => panic!("it never ends by itself"),
            manager = listening => manager.unwrap(),
        };
        service.stopping();
        manager.set_nonblocking(true).unwrap();
        let mut last = String::new();
        while !last.starts_with("STOPPING=1") {
            last = heard(&manager);
        }
    }

    #[test]
    fn a_socket_without_a_path_is_spoken_to() {
        let name = format!("secure-messaging-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        service(&[("NOTIFY_SOCKET", &format!("@{name}"))]).ready();
        assert!(heard(&manager).contains("READY=1"));
    }

    #[test]
    fn without_a_manager_or_for_another_process_nothing_is_said() {
        assert!(service(&[]).socket.is_none());
        assert!(service(&[("WATCHDOG_USEC", "1000")]).watchdog.is_none());
        let nowhere = [("NOTIFY_SOCKET", "/nowhere/at/all")];
        service(&nowhere).ready();
        let variables = [("WATCHDOG_USEC", "1000"), ("WATCHDOG_PID", "1")];
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        assert_eq!(watchdog(&find), None);
    }
}
