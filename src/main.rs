//! The command line and the exit code: 0 done or stopped by a signal, 1 failed, 2 wrong usage or configuration.

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::ExitCode};

use clap::{Parser, Subcommand};
#[cfg(feature = "demo")]
use snapshot_bot::demo;
use snapshot_bot::{
    app::{App, Proof, check},
    clock::Clock,
    config::{Config, Warning, misspelled},
    telemetry,
};
use tokio::signal::unix::{SignalKind, signal};

/// The bit of a file's mode that lets everybody read it.
const READABLE_BY_OTHERS: u32 = 0o004;

/// Takes, restores and looks after DigitalOcean Droplet snapshots from a Discord channel.
///
/// Configured by environment variables, or by a file `.env` in the working directory: see `.env.example`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the bot (the default).
    Run {
        /// Accept a changed `DIGITALOCEAN_TOKEN` once, although nothing proves that it is of the same account.
        #[arg(long)]
        same_account: bool,
    },
    /// Test tokens, scopes, guilds, channel permissions and the database, and print the invite link.
    Check,
    /// Run the bot against a simulated Discord and DigitalOcean: no account, no token, only loopback.
    #[cfg(feature = "demo")]
    Demo(demo::Arguments),
    /// Run only the simulated Discord and DigitalOcean, for any bot or client; prints one JSON line when they are ready.
    #[cfg(feature = "demo")]
    Sandbox(demo::sandbox::Arguments),
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(format_args!("could not start: {error}")),
    };
    let code = match command.unwrap_or(Command::Run { same_account: false }) {
        Command::Run { same_account } => {
            let proof = if same_account { Proof::Waived } else { Proof::Demanded };
            with_config(|config| runtime.block_on(run(config, proof)))
        }
        Command::Check => with_config(|config| runtime.block_on(look_around(config))),
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => concluded(runtime.block_on(demo::run(arguments))),
        #[cfg(feature = "demo")]
        Command::Sandbox(arguments) => concluded(runtime.block_on(demo::sandbox::run(arguments))),
    };
    // What is still running has been drained as far as it can be.
    runtime.shutdown_background();
    code
}

/// Reads `.env` and the environment; every problem is told at once.
fn with_config(run: impl FnOnce(Config) -> ExitCode) -> ExitCode {
    let file = Path::new(".env");
    match dotenvy::from_path(file) {
        Ok(()) => {}
        Err(error) if error.not_found() => {}
        // Its text is the line, and after an unclosed quote all that follows, with the tokens in it.
        Err(dotenvy::Error::LineParse(..)) => {
            return misconfigured(format_args!(
                "could not read the file .env: {} is not NAME=value; put a value with blanks or quotes into '…'",
                unreadable_line(file)
            ));
        }
        Err(error) => return misconfigured(format_args!("could not read the file .env: {error}")),
    }
    let is_open = file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & READABLE_BY_OTHERS != 0);
    let misspelled = misspelled(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()));
    for warning in is_open.then_some(Warning::ReadableByOthers).iter().chain(&misspelled) {
        say(format_args!("warning: {warning}"));
    }
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(problems) => return misconfigured(format_args!("{problems}")),
    };
    for warning in &config.warnings {
        say(format_args!("warning: {warning}"));
    }
    if let Err(error) = telemetry::install_logs(config.log_format, &config.log_filter, &config.secrets()) {
        return failed(format_args!("could not set up the log: {error}"));
    }
    run(config)
}

/// Where the file cannot be read, by the last name that can.
fn unreadable_line(file: &Path) -> String {
    let readable = dotenvy::from_path_iter(file).into_iter().flatten().map_while(Result::ok);
    readable.last().map_or_else(|| "its first line".to_owned(), |(name, _)| format!("the line after {name}"))
}

async fn run(config: Config, proof: Proof) -> ExitCode {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()));
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) = signals else {
        return failed(format_args!("could not listen for signals"));
    };
    let mut app = match App::start_with(config, Clock::wall(), proof).await {
        Ok(app) => app,
        Err(error) => return failed(format_args!("{error}")),
    };
    loop {
        tokio::select! {
            ended = app.ended() => return match ended {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => failed(format_args!("{error}")),
            },
            _ = hangup.recv() => app.reread_secrets(),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    tracing::info!("stopping; what is under way is brought to a safe point, a second signal stops at once");
    tokio::select! {
        stopped = app.stop() => match stopped {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(format_args!("{error}")),
        },
        _ = terminate.recv() => ExitCode::SUCCESS,
        _ = interrupt.recv() => ExitCode::SUCCESS,
    }
}

async fn look_around(config: Config) -> ExitCode {
    let mut stdout = std::io::stdout();
    match check::run(&config, &mut stdout).await {
        Ok(check::Verdict::Fine) => ExitCode::SUCCESS,
        Ok(check::Verdict::SomethingMissing) => ExitCode::FAILURE,
        Err(error) => failed(format_args!("could not finish: {error}")),
    }
}

#[cfg(feature = "demo")]
fn concluded(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(format_args!("{error:#}")),
    }
}

fn misconfigured(what: std::fmt::Arguments<'_>) -> ExitCode {
    say(what);
    ExitCode::from(2)
}

fn failed(what: std::fmt::Arguments<'_>) -> ExitCode {
    say(format_args!("snapshot-bot: {what}"));
    ExitCode::FAILURE
}

#[expect(clippy::print_stderr, reason = "the command line's last words are for whoever typed it, log or no log")]
fn say(what: std::fmt::Arguments<'_>) {
    eprintln!("{what}");
}
