//! Events and notices, as functions write them.

use crate::{
    Change, Connection, Event, LiveId, MessageId, Notice, SessionId, Target, UserId, WaitingItem,
};

use super::wire::{TARGET, read_target};

/// Something that sinks are told.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    Event(Event),
    Notice(Notice),
}

/// Takes a piece of `N` bytes off the front.
fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (piece, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(piece)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let float = f64::from_be_bytes(take(bytes, 8)?.try_into().ok()?);
    Some(float as u64)
}

/// Reads what one message on the channel carries; what cannot be read is left out.
pub(super) fn frames(mut bytes: &[u8]) -> Vec<Told> {
    let mut told = Vec::new();
    while let Some(length) = take(&mut bytes, 4).and_then(|it| it.try_into().ok()) {
        let Some(frame) = take(&mut bytes, u32::from_be_bytes(length) as usize) else {
            break;
        };
        let inside = frame.strip_prefix(b"E").unwrap_or(frame);
        told.extend(read(inside));
    }
    told
}

/// Reads one event or notice.
pub(super) fn read(bytes: &[u8]) -> Option<Told> {
    let (kind, rest) = bytes.split_first()?;
    match kind {
        b'P' => connection(rest).map(|gone| Told::Notice(Notice::Replaced(gone))),
        b'S' => ended(rest).map(Told::Notice),
        b'T' => relayed(rest).map(Told::Notice),
        b'Y' => Some(Told::Notice(Notice::AccountsChanged)),
        kind => event(*kind, rest).map(Told::Event),
    }
}

fn event(kind: u8, mut bytes: &[u8]) -> Option<Event> {
    let bytes = &mut bytes;
    let change = Change {
        id: MessageId::from_slice(take(bytes, 16)?)?,
        poster: UserId::from_slice(take(bytes, 16)?)?,
        target: read_target(take(bytes, TARGET)?)?,
    };
    let first = take(bytes, 1)?[0] == 1;
    let second = take(bytes, 1)?[0] == 1;
    let (size, expires_at) = (number(bytes)?, number(bytes)?);
    Some(match kind {
        b'A' => Event::Available {
            target: change.target,
            item: WaitingItem {
                id: change.id,
                poster: change.poster,
                burn_on_read: first,
                size,
                expires_at,
                target: change.target,
            },
            is_new: second,
        },
        b'C' => Event::Claimed(change),
        b'R' => Event::Returned(change),
        b'L' => Event::Left(change),
        b'K' => Event::Acknowledged {
            change,
            burned: first,
        },
        b'X' => Event::Expired(change),
        b'O' => Event::CannotOpen(change),
        _ => return None,
    })
}

/// Reads an item, which is written as the event that announces it.
pub(super) fn item(bytes: &[u8]) -> Option<WaitingItem> {
    match read(bytes)? {
        Told::Event(Event::Available { item, .. }) => Some(item),
        _ => None,
    }
}

fn connection(mut bytes: &[u8]) -> Option<Connection> {
    let bytes = &mut bytes;
    Some(Connection {
        account: UserId::from_slice(take(bytes, 16)?)?,
        session: SessionId::from_slice(take(bytes, 32)?)?,
        live: LiveId::from_slice(take(bytes, 16)?)?,
        number: u64::from_be_bytes(take(bytes, 8)?.try_into().ok()?),
    })
}

fn ended(mut bytes: &[u8]) -> Option<Notice> {
    let bytes = &mut bytes;
    Some(Notice::Ended {
        account: UserId::from_slice(take(bytes, 16)?)?,
        session: SessionId::from_slice(take(bytes, 32)?)?,
        code: std::str::from_utf8(bytes).ok()?.parse().ok()?,
    })
}

fn relayed(mut bytes: &[u8]) -> Option<Notice> {
    let bytes = &mut bytes;
    let Target::Live { account, live } = read_target(&[&[1], take(bytes, 32)?].concat())? else {
        return None;
    };
    let besides = take(bytes, 1)?[0] == 1;
    Some(Notice::Relayed {
        account,
        besides: besides.then_some(live),
        text: String::from_utf8(bytes.to_vec()).ok()?,
    })
}

/// Encodes what follows the account in a relayed text.
pub(super) fn relay(besides: Option<LiveId>, text: &str) -> Vec<u8> {
    let live = besides.map_or([0; 16], |live| *live.as_bytes());
    let flag = [u8::from(besides.is_some())];
    [&live[..], &flag, text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_or_unknown_is_left_out_and_stops_nothing() {
        let whole = [&b"T"[..], &[1; 16], &relay(None, "joined")].concat();
        let framed = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
        let relayed = Told::Notice(Notice::Relayed {
            account: UserId::from_bytes([1; 16]),
            besides: None,
            text: "joined".to_owned(),
        });
        let all = [framed(b"Z"), framed(&whole), framed(&whole)].concat();
        assert_eq!(frames(&all[..all.len() - 1]), [relayed]);
        for length in 0..whole.len() - 6 {
            assert_eq!(read(&whole[..length]), None);
        }
        assert_eq!(frames(&[]), []);
    }
}
