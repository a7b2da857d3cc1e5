//! A connection to a node, over which its functions are called.

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, RedisResult, Value, cmd};

use super::core::Core;
use super::wire::{Args, Reply};

/// The id of a life of a node.
pub(super) type Epoch = [u8; 16];

/// The id of a life of the plane, which ends when every node has begun anew.
pub(super) type Plane = [u8; 16];

/// A connection, and the epoch in which it was made.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) connection: MultiplexedConnection,
    pub(super) epoch: Epoch,
    /// The life of the plane that the node belongs to.
    pub(super) plane: Plane,
    /// Tells it from those before.
    pub(super) serial: u64,
    /// The node's clock when it was made, unix milliseconds.
    pub(super) engine_ms: u64,
}

/// Why a function did not answer.
pub(super) enum Failed {
    /// The node is in another epoch, and has done nothing.
    OtherEpoch,
    /// It said no, or something that cannot be read.
    Refused(String),
    /// The connection broke; it may have been done or not.
    Broken(RedisError),
}

/// The life of the plane that a node belongs to; `None` at an empty node.
pub(super) async fn plane_at(
    core: &Core,
    connection: &mut MultiplexedConnection,
) -> RedisResult<Option<Plane>> {
    let mut ask = cmd("GET");
    ask.arg(core.key("plane", &[]));
    match connection
        .send_packed_command(&ask)
        .await?
        .extract_error()?
    {
        Value::BulkString(plane) => Ok(plane.try_into().ok()),
        _ => Ok(None),
    }
}

/// A node that cannot be used at this moment.
pub(super) fn away(why: &'static str) -> RedisError {
    RedisError::from((ErrorKind::Io, why))
}

/// An answer that has another form than its function gives.
pub(super) fn unreadable() -> RedisError {
    RedisError::from((ErrorKind::UnexpectedReturnType, "an answer of another form"))
}

impl Link {
    /// Calls a function in the epoch of the connection.
    pub(super) async fn ask(
        &self,
        core: &Core,
        operation: &str,
        args: &Args,
    ) -> Result<Reply, Failed> {
        let called = self.call(core, &self.epoch, operation, args).await;
        called.map_err(|error| {
            // An engine that began anew has no functions.
            let not_found = error.to_string().contains("unction not found");
            if error.code() == Some("EPOCH") || not_found {
                Failed::OtherEpoch
            } else if error.code().is_some() {
                Failed::Refused(error.to_string())
            } else {
                Failed::Broken(error)
            }
        })
    }

    /// Calls a function in an epoch, or in any if none is named.
    pub(super) async fn call(
        &self,
        core: &Core,
        epoch: &[u8],
        operation: &str,
        args: &Args,
    ) -> RedisResult<Reply> {
        let command = core.command(epoch, operation, args);
        let mut connection = self.connection.clone();
        let answer = connection.send_packed_command(&command).await?;
        Reply::read(answer.extract_error()?).ok_or_else(unreadable)
    }
}
