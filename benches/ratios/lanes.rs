//! A closed-loop load over sockets: one exchange in flight on each.

use std::io;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::load::Outcome;
use crate::websocket::WebSocket;

/// Runs so many turns on each socket at once; gives an outcome for each part of a turn, which says what it took.
pub(crate) async fn run<S, const PARTS: usize>(
    sockets: &mut [S],
    turns: usize,
    turn: impl AsyncFn(&mut S, usize, usize) -> io::Result<[Duration; PARTS]>,
) -> io::Result<[Outcome; PARTS]> {
    let turn = &turn;
    let begun = Instant::now();
    let lanes = sockets
        .iter_mut()
        .enumerate()
        .map(|(number, socket)| async move {
            let mut times = Vec::with_capacity(turns);
            for number_of_turn in 0..turns {
                times.push(turn(socket, number, number_of_turn).await?);
            }
            io::Result::Ok(times)
        });
    let times = try_join_all(lanes).await?.concat();
    let elapsed = begun.elapsed();
    Ok(std::array::from_fn(|part| {
        let micros = |times: &[Duration; PARTS]| times[part].as_micros() as u32;
        let mut latencies: Vec<u32> = times.iter().map(micros).collect();
        latencies.sort_unstable();
        Outcome {
            succeeded: times.len(),
            elapsed,
            latencies,
            ..Outcome::default()
        }
    }))
}

/// Echoes a message so many times on each socket.
pub(crate) async fn echo(
    sockets: &mut [WebSocket],
    turns: usize,
    message: &[u8],
) -> io::Result<Outcome> {
    let [echoed] = run(sockets, turns, async |socket, _, _| {
        let begun = Instant::now();
        socket.exchange(message).await?;
        Ok([begun.elapsed()])
    })
    .await?;
    Ok(echoed)
}
