//! Posting: reserve room, put a message, add slots to it.

use std::sync::Arc;
use std::time::Duration;

use redis::{Pipeline, Value};
use tokio::runtime::Handle;

use super::core::Core;
use super::wire::{Args, Reply, target};
use crate::reservation::Refund;
use crate::types::repeats;
use crate::{
    AddSlotsError, Full, MessageId, NewMessage, NewSlot, PutError, PutOutcome, Reservation,
    Unreachable, UserId, cost,
};

/// The name of a reservation, under which bodies and slots lie until they are posted.
type Name = [u8; 16];

/// A reservation at a node, given back there.
struct Room {
    core: Arc<Core>,
    handle: Handle,
    name: Name,
}

impl Refund for Room {
    fn refund(&self, poster: UserId, _bytes: u64) {
        let (core, name) = (Arc::clone(&self.core), self.name);
        self.handle
            .spawn(async move { core.release(poster, name).await });
    }

    fn name(&self) -> Option<Name> {
        Some(self.name)
    }
}

/// Reads a refusal for want of room.
fn full(reply: &Reply) -> Result<Option<Full>, Unreachable> {
    let retry_after = || {
        let seconds = reply.number(1)?.div_ceil(1000);
        Ok(Duration::from_secs(seconds))
    };
    Ok(match reply.word() {
        "account" => Some(Full::Account {
            retry_after: retry_after()?,
        }),
        "vault" => Some(Full::Vault {
            retry_after: retry_after()?,
        }),
        _ => None,
    })
}

impl Core {
    pub(super) async fn reserve(
        self: Arc<Self>,
        handle: Handle,
        poster: UserId,
        payload: u64,
        slots: usize,
    ) -> Result<Result<Reservation, Full>, Unreachable> {
        let limit = self.config.message_bytes;
        if payload > limit {
            return Ok(Err(Full::TooLarge {
                bytes: payload,
                limit,
            }));
        }
        let bytes = cost(payload, slots);
        let name: Name = self.ambient.random();
        let reply = self.reserve_at(poster, bytes, name, slots).await?;
        if let Some(full) = full(&reply)? {
            return Ok(Err(full));
        }
        let room = Room {
            core: self,
            handle,
            name,
        };
        Ok(Ok(Reservation::new(poster, bytes, Arc::new(room))))
    }

    async fn reserve_at(
        &self,
        poster: UserId,
        bytes: u64,
        name: Name,
        slots: usize,
    ) -> Result<Reply, Unreachable> {
        let args = Args::default()
            .raw(poster.as_bytes())
            .number(bytes)
            .raw(name)
            .number(slots as u64);
        self.at(poster.as_bytes(), "reserve", args).await
    }

    /// Gives a reservation back; if the node is away, the purge does so later.
    async fn release(&self, poster: UserId, name: Name) {
        let released = Args::default().raw(name);
        let _ = self.at(poster.as_bytes(), "release", released).await;
    }

    pub(super) async fn put(
        &self,
        mut reservation: Reservation,
        message: NewMessage,
    ) -> Result<Result<PutOutcome, PutError>, Unreachable> {
        if let Err(refused) = message.check(&self.config) {
            return Ok(Err(refused));
        }
        let name = reservation.name().ok_or(Unreachable)?;
        let args = Args::default()
            .raw(name)
            .raw(message.id.as_bytes())
            .number(message.life.as_millis() as u64)
            .flag(message.burn_on_read)
            .number(message.body.len() as u64);
        let poster = reservation.poster();
        let mut commands = Pipeline::new();
        if !message.body.is_empty() {
            let key = self.key("b:", &name);
            commands.cmd("SET").arg(key).arg(message.body.expose());
        }
        // From here on the node gives the room back itself when it refuses.
        reservation.spend();
        let carried = message.body.len();
        let posted = self
            .stage(
                poster,
                name,
                commands,
                &message.slots,
                "commit",
                args,
                carried,
            )
            .await;
        let reply = match posted {
            Ok(reply) => reply,
            Err(away) => {
                self.release(poster, name).await;
                return Err(away);
            }
        };
        Ok(match reply.word() {
            "ok" => Ok(PutOutcome {
                expires_at: reply.number(1)?,
            }),
            "duplicate" => Err(PutError::Duplicate),
            "erased" => Err(PutError::Erased),
            "overreserved" => Err(PutError::OverReserved {
                bytes: reply.number(1)?,
                reserved: reply.number(2)?,
            }),
            _ => return Err(Unreachable),
        })
    }

    /// Sends slots under the name of a reservation, after what is to be sent before, and calls the function
    /// that takes them, all at once.
    #[expect(
        clippy::too_many_arguments,
        reason = "one request to the node, part by part"
    )]
    async fn stage(
        &self,
        poster: UserId,
        name: Name,
        mut commands: Pipeline,
        slots: &[NewSlot],
        operation: &str,
        mut args: Args,
        mut carried: usize,
    ) -> Result<Reply, Unreachable> {
        let node = self.node_of(poster.as_bytes());
        let epoch = self.epoch(node).await?;
        for (index, slot) in slots.iter().enumerate() {
            args = args.raw(target(slot.target));
            args = match slot.prekey {
                Some(prekey) => args.number(prekey.into()),
                None => args.raw("-1"),
            };
            args = args.number(slot.bytes.len() as u64);
            if !slot.bytes.is_empty() {
                let place = [&name[..], b":", index.to_string().as_bytes()].concat();
                let key = self.key("s:", &place);
                commands.cmd("SET").arg(key).arg(slot.bytes.expose());
                carried += slot.bytes.len();
            }
        }
        commands.add_command(self.command(&epoch, operation, &args));
        let sent = node.bodies.send(self, node, epoch, &commands, carried);
        let last = sent.await?.pop().ok_or(Unreachable)?;
        if let Value::ServerError(error) = &last {
            self.report(node, &format!("it refused {operation}"), &error.to_string());
            return Err(Unreachable);
        }
        let reply = Reply::read(last).ok_or(Unreachable)?;
        self.tell_all(&reply.events);
        Ok(reply)
    }

    pub(super) async fn add_slots(
        &self,
        id: MessageId,
        poster: UserId,
        slots: Vec<NewSlot>,
    ) -> Result<Result<(), AddSlotsError>, Unreachable> {
        let limit = self.config.slots_per_message;
        if slots.len() > limit {
            return Ok(Err(AddSlotsError::TooManySlots { limit }));
        }
        if repeats(&slots) {
            return Ok(Err(AddSlotsError::RepeatedTarget));
        }
        // Looked at before the slots are sent, so that a wrong id costs little; decided again below.
        let args = Args::default().raw(id.as_bytes()).raw(poster.as_bytes());
        let may = self.at(poster.as_bytes(), "may_add", args.clone()).await?;
        if may.word() != "ok" {
            return Ok(Err(AddSlotsError::Gone));
        }
        let name: Name = self.ambient.random();
        self.reserve_at(poster, 0, name, slots.len()).await?;
        let added = self
            .stage(
                poster,
                name,
                Pipeline::new(),
                &slots,
                "add_slots",
                args.raw(name),
                0,
            )
            .await;
        let reply = match added {
            Ok(reply) => reply,
            Err(away) => {
                self.release(poster, name).await;
                return Err(away);
            }
        };
        if let Some(full) = full(&reply)? {
            return Ok(Err(full.into()));
        }
        Ok(match reply.word() {
            "ok" => Ok(()),
            "gone" => Err(AddSlotsError::Gone),
            "erased" => Err(AddSlotsError::Erased),
            "toomany" => Err(AddSlotsError::TooManySlots { limit }),
            "toolarge" => Err(AddSlotsError::Full(Full::TooLarge {
                bytes: reply.number(1)?,
                limit: self.config.message_bytes,
            })),
            _ => return Err(Unreachable),
        })
    }
}
