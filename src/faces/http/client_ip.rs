//! The client's address, as far as the network tells.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::{HttpRequest, web};

use crate::app::App;
use crate::app::origin::ClientIp;
use crate::platform::net::AddressRange;

/// Reads the peer's address, or the one that trusted proxies name in `X-Forwarded-For`.
pub fn client_ip(request: &HttpRequest) -> ClientIp {
    let peer = request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    let trusted = request
        .app_data::<web::Data<App>>()
        .map(|app| app.config().trusted_proxies.as_slice())
        .unwrap_or_default();
    let forwarded = request.headers().get_all("x-forwarded-for");
    ClientIp(client_of(
        peer,
        trusted,
        forwarded.map(|value| value.as_bytes()),
    ))
}

/// Follows `X-Forwarded-For` from its end for as long as trusted proxies wrote it.
///
/// The first address that is not a trusted proxy is the client. An entry that is not an address ends the
/// walk, because the client may have made up everything before it; the proxy that wrote the entry then counts
/// as the client.
fn client_of<'a>(
    peer: IpAddr,
    trusted: &[AddressRange],
    forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
) -> IpAddr {
    let mut nearest = peer.to_canonical();
    let entries = forwarded
        .rev()
        .flat_map(|value| value.rsplit(|byte| *byte == b','));
    for entry in entries {
        if !trusted.iter().any(|proxies| proxies.contains(nearest)) {
            break;
        }
        match address_in(entry) {
            Some(address) => nearest = address,
            None => break,
        }
    }
    nearest
}

/// Reads an address as proxies write it: bare, in brackets, or with a port behind it.
///
/// An IPv4 address that is mapped into IPv6 is the IPv4 address.
fn address_in(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = || {
        let inside = text.strip_prefix('[')?.strip_suffix(']')?;
        inside.parse().ok().map(IpAddr::V6)
    };
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = text.parse().ok().or_else(bare).or_else(with_port)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PROXIES: [&str; 4] = ["127.0.0.1", "10.0.0.2", "2001:db8::2", "10.9.0.0/16"];

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted = PROXIES.map(|proxy| proxy.parse().unwrap());
        let values = forwarded.iter().map(|value| value.as_bytes());
        client_of(peer.parse().unwrap(), &trusted, values).to_string()
    }

    #[test]
    fn a_stranger_cannot_name_an_address() {
        assert_eq!(client("192.0.2.7", &["198.51.100.1"]), "192.0.2.7");
        assert_eq!(
            client("127.0.0.1", &["198.51.100.1, 192.0.2.7"]),
            "192.0.2.7"
        );
        assert_eq!(
            client("127.0.0.1", &["198.51.100.1", "192.0.2.7"]),
            "192.0.2.7"
        );
    }

    #[test]
    fn an_address_with_a_port_is_read_as_the_address() {
        for (entry, expected) in [
            ("192.0.2.7:50123", "192.0.2.7"),
            ("[2001:db8::7]:50123", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("[::ffff:192.0.2.7]:1", "192.0.2.7"),
        ] {
            let forwarded = format!("198.51.100.1, {entry}");
            assert_eq!(client("127.0.0.1", &[&forwarded]), expected, "{entry}");
        }
    }

    #[test]
    fn what_stands_before_an_entry_that_is_no_address_is_not_believed() {
        for entry in [
            "unknown",
            "",
            "_hidden",
            "192.0.2.7:port",
            "[192.0.2.7]",
            "\u{e9}",
        ] {
            let forwarded = format!("198.51.100.1, {entry}");
            assert_eq!(client("127.0.0.1", &[&forwarded]), "127.0.0.1", "{entry}");
            let behind = format!("198.51.100.1, {entry}, 10.0.0.2");
            assert_eq!(client("127.0.0.1", &[&behind]), "10.0.0.2", "{entry}");
        }
    }

    #[test]
    fn a_chain_of_trusted_proxies_is_followed_to_its_client() {
        let chain = ["198.51.100.1, 192.0.2.7, 10.0.0.2:443", "[2001:db8::2]"];
        assert_eq!(client("127.0.0.1", &chain), "192.0.2.7");
        assert_eq!(client("127.0.0.1", &["10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.9.8.7", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn a_proxy_is_trusted_by_its_mapped_address_too() {
        assert_eq!(client("::ffff:127.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        let mapped = ["::ffff:127.0.0.1".parse().unwrap()];
        let values = [b"192.0.2.7".as_slice()];
        let peer = "127.0.0.1".parse().unwrap();
        let client = client_of(peer, &mapped, values.into_iter());
        assert_eq!(client.to_string(), "192.0.2.7");
        assert_eq!(
            client_of("::ffff:192.0.2.7".parse().unwrap(), &mapped, [].into_iter()).to_string(),
            "192.0.2.7"
        );
    }

    #[test]
    fn one_customer_of_a_network_is_counted_once() {
        let network = |text: &str| ClientIp(text.parse().unwrap()).network().to_string();
        assert_eq!(network("2001:db8:1:2:3::4"), "2001:db8:1:2::");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
    }
}
