//! The `secure-messaging` binary.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use secure_messaging::cli::{Cli, Command};
use secure_messaging::clock::Ambient;
use secure_messaging::config::{Config, Overrides};
use secure_messaging::logging;
use secure_messaging::startup::{Application, open_store};
use tokio::signal::unix::{SignalKind, signal};
use vault::alloc::WipingAllocator;

/// Overwrites every allocation before it is given back.
#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator::new();

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    forbid_core_files();
    let command = Cli::parse()
        .command
        .unwrap_or_else(|| Command::Serve(Overrides::default()));
    let outcome = match command {
        Command::Serve(overrides) => serve(&overrides),
        Command::Migrate { example, overrides } => match example {
            Some(file) => make_example(&file),
            None => migrate(&overrides),
        },
        Command::Stats(overrides) => stats(&overrides),
        Command::Healthcheck(overrides) => healthcheck(&overrides),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("secure-messaging: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(overrides: &Overrides) -> Outcome {
    let config = Config::load(overrides)?;
    logging::start(&config);
    actix_web::rt::System::new().block_on(async move {
        let application =
            Application::build(config, Config::encryption_key(), Ambient::system()).await?;
        tracing::info!(address = %application.address(), "listening");
        if let Some(link) = application.setup_link() {
            // Not a log line: it is for the person who started the server, and works once.
            println!("Set up this server: {}", link.as_str());
            std::io::stdout().flush()?;
        }
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        let stop = async move {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
        };
        Ok(application.run_until(stop).await?)
    })
}

fn migrate(overrides: &Overrides) -> Outcome {
    let config = Config::load(overrides)?;
    let store = open_store(&config, Config::encryption_key())?;
    store.close()?;
    println!("{} is up to date", config.database_path()?.display());
    Ok(())
}

fn make_example(file: &Path) -> Outcome {
    if file.exists() {
        return Err(format!("{} exists; remove it first", file.display()).into());
    }
    store::example::write(file)?;
    println!(
        "{} opens with the key {}",
        file.display(),
        store::example::KEY
    );
    Ok(())
}

fn stats(overrides: &Overrides) -> Outcome {
    let config = Config::load(overrides)?;
    let path = config.database_path()?;
    if !path.exists() {
        return Err(format!("{} does not exist; start the server once", path.display()).into());
    }
    let store = open_store(&config, Config::encryption_key())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let figures = runtime.block_on(store.statistics(Ambient::system().now()))?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    store.close()?;
    Ok(())
}

fn healthcheck(overrides: &Overrides) -> Outcome {
    let config = Config::load(overrides)?;
    if config.tls() {
        return Err("this server ends TLS itself; ask https://…/health/ready instead".into());
    }
    let wait = Duration::from_secs(5);
    let mut stream = TcpStream::connect_timeout(&config.bind_addr, wait)?;
    stream.set_read_timeout(Some(wait))?;
    stream
        .write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") {
        println!("ready");
        Ok(())
    } else {
        Err("the server is not ready; its log has the reason".into())
    }
}

/// A core file would hold messages and keys.
fn forbid_core_files() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        eprintln!("secure-messaging: core files could not be forbidden: {error}");
    }
}
