//! The command line and the exit code: 0 for done or stopped by a signal, 1 for failed, 2 for wrong usage or configuration.

use std::{
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use secrecy::SecretString;
#[cfg(feature = "demo")]
use snapshot_bot::demo;
use snapshot_bot::{
    app::{
        App, Proof, audit, backup, check,
        healthcheck::{self, Question},
    },
    clock::Clock,
    config::{Config, ENV_FILE, EnvFile, Problems, VARIABLES, Warning, environment, misspelled},
    telemetry,
};
use tokio::signal::unix::{SignalKind, signal};

/// The bit of a file's mode that lets everybody read it.
const READABLE_BY_OTHERS: u32 = 0o004;

/// Takes, restores and manages DigitalOcean Droplet Snapshots from a Discord channel.
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
    /// Ask a running bot how it is, at `HTTP_ADDR`; exit code 0 if it is well.
    Healthcheck {
        /// Ask whether it can do its work now (`/readyz`), not only whether it lives. A standby cannot.
        #[arg(long)]
        ready: bool,
    },
    /// List who did what, from the history.
    Audit {
        /// From when on: 7d, 12h, 2026-11-01 (UTC) or 2026-11-01T08:00:00Z. Everything, if left out.
        #[arg(long, value_parser = since)]
        since: Option<Timestamp>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Copy the SQLite database into a new file, while the bot runs.
    Backup {
        /// The copy, which must not be there yet.
        file: PathBuf,
    },
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
        Command::Healthcheck { ready } => {
            let question = if ready { Question::Ready } else { Question::Alive };
            with_part(Config::http_addr_from_lookup, |address| runtime.block_on(ask(address, question)))
        }
        Command::Audit { since, json } => {
            let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
            with_part(Config::database_from_lookup, |database| runtime.block_on(list(&database, since, json)))
        }
        Command::Backup { file } => {
            with_part(Config::database_from_lookup, |database| runtime.block_on(copy(&database, &file)))
        }
        Command::Check => with_config(|config| runtime.block_on(look_around(config))),
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => concluded(runtime.block_on(demo::run(arguments))),
        #[cfg(feature = "demo")]
        Command::Sandbox(arguments) => concluded(runtime.block_on(demo::sandbox::run(arguments))),
    };
    // What is still running has been drained as far as possible.
    runtime.shutdown_background();
    code
}

/// Reads `.env` and the environment; reports every problem at once.
fn with_config(run: impl FnOnce(Config) -> ExitCode) -> ExitCode {
    let file = match read_env_file() {
        Ok(file) => file,
        Err(code) => return code,
    };
    let is_open =
        Path::new(ENV_FILE).metadata().is_ok_and(|metadata| metadata.permissions().mode() & READABLE_BY_OTHERS != 0);
    let misspelled = misspelled(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()));
    for warning in is_open.then_some(Warning::ReadableByOthers).iter().chain(&misspelled) {
        let line = match warning {
            Warning::Misspelled { unknown, .. } => file.line(unknown),
            Warning::DatabaseInTheClear { .. } | Warning::ReadableByOthers => None,
        };
        let place = line.map(|line| format!("{line}: ")).unwrap_or_default();
        say(format_args!("{place}warning: {warning}"));
    }
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(problems) => return misconfigured(format_args!("{}", problems.located(&file))),
    };
    for warning in &config.warnings {
        say(format_args!("warning: {warning}"));
    }
    if let Err(error) = telemetry::install_logs(config.log_format, &config.log_filter, &config.secrets()) {
        return failed(format_args!("could not set up the log: {error}"));
    }
    run(config)
}

/// Reads the one part of the configuration that a command needs; problems elsewhere do not matter to it.
fn with_part<T>(
    part: impl FnOnce(fn(&str) -> Option<String>) -> Result<T, Problems>,
    run: impl FnOnce(T) -> ExitCode,
) -> ExitCode {
    let file = match read_env_file() {
        Ok(file) => file,
        Err(code) => return code,
    };
    match part(environment) {
        Ok(part) => run(part),
        Err(problems) => misconfigured(format_args!("{}", problems.located(&file))),
    }
}

/// Sets the variables that the file contains and the environment does not. Returns their line numbers.
fn read_env_file() -> Result<EnvFile, ExitCode> {
    let path = Path::new(ENV_FILE);
    // Read before the file sets its variables: until then, everything set comes from the environment.
    let file = EnvFile::read(path, |name| std::env::var_os(name).is_some());
    match dotenvy::from_path(path) {
        Ok(()) => Ok(file),
        Err(error) if error.not_found() => Ok(EnvFile::default()),
        // The error's text contains the line and, after an unclosed quote, everything that follows, including tokens.
        Err(dotenvy::Error::LineParse(..)) => {
            let line = EnvFile::unreadable(path);
            let variable = file
                .variable(line, VARIABLES.iter().map(|variable| variable.name))
                .map(|name| format!(" {name}:"))
                .unwrap_or_default();
            Err(misconfigured(format_args!(
                "{line}:{variable} not NAME=value; put a value with blanks or quotes into '…'"
            )))
        }
        Err(error) => Err(misconfigured(format_args!("could not read the file {ENV_FILE}: {error}"))),
    }
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
    app.keep_connections();
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
        _ = terminate.recv() => stopped_at_once(),
        _ = interrupt.recv() => stopped_at_once(),
    }
}

fn stopped_at_once() -> ExitCode {
    tracing::warn!("a second signal: stopping at once; what is under way is taken up again at the next start");
    ExitCode::SUCCESS
}

async fn ask(address: SocketAddr, question: Question) -> ExitCode {
    match healthcheck::run(address, question).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => failed(format_args!("{error}")),
    }
}

async fn list(database: &SecretString, since: Timestamp, as_json: bool) -> ExitCode {
    match audit::run(database, since, as_json, &mut std::io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(format_args!("{error}")),
    }
}

async fn copy(database: &SecretString, file: &Path) -> ExitCode {
    match backup::run(database, file).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(format_args!("{error}")),
    }
}

fn since(text: &str) -> Result<Timestamp, String> {
    audit::parse_since(text, Clock::wall().now())
}

async fn look_around(config: Config) -> ExitCode {
    let mut stdout = std::io::stdout();
    match check::run(&config, &mut stdout).await {
        Ok(check::CheckResult::Fine) => ExitCode::SUCCESS,
        Ok(check::CheckResult::SomethingMissing) => ExitCode::FAILURE,
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

#[expect(clippy::print_stderr, reason = "the last words are for the person at the terminal, log or no log")]
fn say(what: std::fmt::Arguments<'_>) {
    eprintln!("{what}");
}
