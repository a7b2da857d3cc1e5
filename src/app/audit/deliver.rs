//! Delivers heads to a witness. Everything here blocks: it runs on the witness's own thread.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::audit::{MAX_LINE, Witnessed};
use keyring::regular_file;

use crate::config::WitnessAddress;

/// Time limit of a service for one head.
const PATIENCE: Duration = Duration::from_secs(10);

/// Facility "authpriv", severity "notice".
const PRIORITY: u8 = 10 * 8 + 5;

/// Takes one line at a time.
pub(super) trait Deliver: Send {
    /// Returns once the witness has the line.
    fn deliver(&mut self, line: &str) -> Result<(), String>;
}

/// Makes the delivery for an address.
pub(super) fn to(address: &WitnessAddress) -> Box<dyn Deliver> {
    match address.clone() {
        WitnessAddress::File(path) => Box::new(AppendedFile(path)),
        WitnessAddress::SyslogSocket(path) => Box::new(SyslogSocket(path)),
        WitnessAddress::SyslogUdp(address) => Box::new(SyslogUdp(address)),
        WitnessAddress::Http(url) => Box::new(Service { url, client: None }),
    }
}

/// Why a witness's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFileError {
    /// It contains other data.
    #[error(
        "the witness {} holds something else than heads of an audit log, and nothing is appended to it; \
         name a new file in audit_witnesses, or move this one away", .0.display()
    )]
    Foreign(PathBuf),
    /// It cannot be read.
    #[error("the witness {} cannot be read ({source}); correct audit_witnesses or its permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Checks that a witness's file is missing, is empty or begins with a head; changes nothing.
pub fn check_witness_file(path: &Path) -> Result<(), WitnessFileError> {
    let failed = |source| WitnessFileError::Io {
        path: path.to_owned(),
        source,
    };
    let file = match regular_file::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let mut first = Vec::new();
    let mut start = BufReader::new(file).take(MAX_LINE as u64 + 1);
    while first.trim_ascii().is_empty() {
        first.clear();
        if start.read_until(b'\n', &mut first).map_err(failed)? == 0 {
            break;
        }
    }
    match Witnessed::begins(first.trim_ascii_end()) {
        true => Ok(()),
        false => Err(WitnessFileError::Foreign(path.to_owned())),
    }
}

/// A file that is opened anew for each line, so that it may be moved away meanwhile.
struct AppendedFile(PathBuf);

impl Deliver for AppendedFile {
    fn deliver(&mut self, line: &str) -> Result<(), String> {
        // It may be another file since the start.
        check_witness_file(&self.0).map_err(|error| error.to_string())?;
        append(&self.0, line).map_err(|error| error.to_string())
    }
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let mut file = regular_file::open_as(&mut options, path)?;
    let mut text = String::with_capacity(line.len() + 2);
    // A line that was cut when the machine lost power must not swallow this one.
    if !ends_with_a_line(&mut file)? {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn ends_with_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

struct SyslogSocket(PathBuf);

impl Deliver for SyslogSocket {
    fn deliver(&mut self, line: &str) -> Result<(), String> {
        let send = || {
            let socket = UnixDatagram::unbound()?;
            socket.set_write_timeout(Some(PATIENCE))?;
            let text = format!(
                "<{PRIORITY}>secure-messaging[{}]: {line}",
                std::process::id()
            );
            socket.send_to(text.as_bytes(), &self.0)
        };
        send()
            .map(drop)
            .map_err(|error: io::Error| error.to_string())
    }
}

struct SyslogUdp(SocketAddr);

impl Deliver for SyslogUdp {
    fn deliver(&mut self, line: &str) -> Result<(), String> {
        let own: SocketAddr = match self.0 {
            SocketAddr::V4(_) => (Ipv4Addr::LOCALHOST, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::LOCALHOST, 0).into(),
        };
        let send = || {
            let socket = UdpSocket::bind(own)?;
            // RFC 5424; the head has its own time.
            let text = format!(
                "<{PRIORITY}>1 - - secure-messaging {} audit-head - {line}",
                std::process::id()
            );
            socket.send_to(text.as_bytes(), self.0)
        };
        send()
            .map(drop)
            .map_err(|error: io::Error| error.to_string())
    }
}

struct Service {
    url: String,
    /// Made at the first line, because it reads the machine's certificates.
    client: Option<reqwest::blocking::Client>,
}

impl Deliver for Service {
    fn deliver(&mut self, line: &str) -> Result<(), String> {
        let client = match &self.client {
            Some(client) => client.clone(),
            None => {
                let client = reqwest::blocking::Client::builder()
                    .timeout(PATIENCE)
                    .redirect(reqwest::redirect::Policy::none())
                    .user_agent(concat!("secure-messaging/", env!("CARGO_PKG_VERSION")))
                    .build()
                    .map_err(reason)?;
                self.client.insert(client).clone()
            }
        };
        let answer = client
            .post(&self.url)
            .header("content-type", "application/json")
            .body(line.to_owned())
            .send()
            .map_err(reason)?;
        let status = answer.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(format!("it answered {status}"))
        }
    }
}

/// Returns the whole chain of causes, because the outermost only says that a request failed.
fn reason(error: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_that_is_another_one_meanwhile_takes_no_heads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heads");
        let mut witness = to(&WitnessAddress::File(path.clone()));
        let head = "{\"format\":\"secure-messaging/1 audit head\",\"number\":1}";
        witness.deliver(head).unwrap();
        witness.deliver(head).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
        std::fs::write(&path, "somebody's notes\n").unwrap();
        let refused = witness.deliver(head).unwrap_err();
        assert!(refused.contains("nothing is appended to it"), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), b"somebody's notes\n");
        std::fs::remove_file(&path).unwrap();
        witness.deliver(head).unwrap();
    }
}
