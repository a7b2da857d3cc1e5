//! `serve`: the server itself.

use std::rc::Rc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Outcome;
use super::output::say;
use crate::config::{Config, Overrides};
use crate::platform::logging;
use crate::platform::memory::Protections;
use crate::platform::net::Limits;
use crate::platform::service::Service;
use crate::startup::Application;
use ambient::Ambient;

/// Arguments of `serve`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Serves until TERM or INT.
pub fn run(args: Args) -> Outcome {
    let config = Config::load(&args.overrides)?;
    logging::start(&config.logging)?;
    Limits::with_workers(config.workers).check_descriptors()?;
    let protections = Protections::inspect().warnings();
    for warning in protections.into_iter().chain(Config::warnings()) {
        tracing::warn!("{warning}");
    }
    let key = Config::encryption_key()?;
    actix_web::rt::System::new().block_on(async move {
        let application = Application::build(config, key, Ambient::system()).await?;
        // Before anybody is told that it listens, so that whoever then stops it stops it cleanly.
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        if let Some(address) = application.metrics_address() {
            tracing::info!(%address, "measurements can be read");
        }
        tracing::info!(address = %application.address(), "listening");
        if let Some(link) = application.setup_link().await? {
            // Not a log line: it is for the person who started the server, and works once.
            if let Err(cause) = say!("Set up this server: {}", link.as_str()) {
                tracing::warn!(
                    %cause,
                    "nobody can see the set-up link; start the server again with a standard output that \
                     can be written to: each start makes a new link"
                );
            }
        }
        let service = Rc::new(Service::from_environment());
        service.ready();
        // Signals that came; the second one ends the time in which the server says that it stops.
        let (came, signals) = watch::channel(0_u32);
        let _counting = actix_web::rt::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminated.recv() => {}
                    _ = interrupted.recv() => {}
                }
                came.send_modify(|count| *count += 1);
            }
        });
        let alive = Rc::clone(&service);
        let _alive = actix_web::rt::spawn(async move { alive.stay_alive().await });
        let stop = async {
            came_to(signals.clone(), 1).await;
            service.stopping();
        };
        let at_once = came_to(signals.clone(), 2);
        Ok(application.run_until(stop, at_once).await?)
    })
}

/// Waits until there were so many signals.
async fn came_to(mut signals: watch::Receiver<u32>, count: u32) {
    if signals.wait_for(|came| *came >= count).await.is_err() {
        // Nobody counts them any more: there are no others.
        std::future::pending().await
    }
}
