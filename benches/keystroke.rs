//! One keystroke, from Discord to its choices among 1,000 Droplets: the program and a bare poise bot, in the same run.
//!
//! `cargo bench --bench keystroke`. Each bot is a process of its own with simulated services on loopback. They are asked in
//! turns, so that whatever else the machine does meets both. The bare bot is this program again, started with `bare`.

#![expect(clippy::print_stdout, reason = "a measurement says what it found")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

#[path = "keystroke/bare.rs"]
mod bare;
#[path = "../tests/harness/environment.rs"]
mod environment;
#[expect(dead_code, reason = "shared with the tests of the program")]
#[path = "../tests/binary/installation.rs"]
mod installation;
#[expect(dead_code, reason = "shared with the tests of the program")]
#[path = "../tests/binary/process.rs"]
mod process;
#[path = "../tests/harness/sent.rs"]
mod sent;
#[path = "../tests/harness/services.rs"]
mod services;
#[path = "../tests/harness/waiting.rs"]
mod waiting;

use std::{
    fs::{self, File},
    process::{Child, Command},
    time::{Duration, Instant},
};

use installation::Installation;
use snapshot_bot_sandbox::digitalocean::droplet::Blueprint;

/// How often each bot is asked before it is measured, and then in each of the rounds.
const WARM_UP: usize = 500;
const ROUNDS: usize = 40;
const KEYS_A_ROUND: usize = 125;
/// What is typed, in turns: nothing, what all names begin with, what some contain, what one is called.
const TYPED: [&str; 5] = ["", "n", "node-7", "42", "node-777"];

#[tokio::main(worker_threads = 2)]
async fn main() {
    if std::env::args().any(|argument| argument == bare::ARGUMENT) {
        return bare::run().await;
    }
    let (ours, bares) = (install().await, install().await);
    let (process, _) = ours.ready("ours").await;
    let bare = Bare::start(&bares);
    let path = ["snapshot", "take"].map(str::to_owned);
    bares.discord.until(|world| world.registered(Some(bares.guild), &path).map(drop)).await;
    let mut bots =
        [Asked::new("the program", &ours, process.id()), Asked::new("a bare poise bot", &bares, bare.0.id())];
    for bot in &mut bots {
        bot.ask(WARM_UP).await;
        bot.forget();
    }
    for _ in 0..ROUNDS {
        for bot in &mut bots {
            bot.ask(KEYS_A_ROUND).await;
        }
    }
    let [ours, bare] = bots.map(Asked::tell);
    println!("the program / the bare bot: p99 {:.2}, processor {:.2}", ours.0 / bare.0, ours.1 / bare.1);
}

/// An installation of a bot's own, with 1,000 Droplets.
async fn install() -> Installation {
    let installation = Installation::new().await;
    installation.digitalocean.world(|world| world.add_droplets(&Blueprint::named("node"), 998));
    installation
}

/// A bare bot's process. It ends with this program.
struct Bare(Child);

impl Bare {
    fn start(installation: &Installation) -> Self {
        let started = Command::new(std::env::current_exe().unwrap())
            .arg(bare::ARGUMENT)
            .env_clear()
            .envs(&installation.environment)
            .stderr(File::create(installation.folder.path().join("bare.err")).unwrap())
            .spawn();
        Self(started.unwrap())
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A bot that is measured.
struct Asked<'a> {
    name: &'static str,
    installation: &'a Installation,
    process: u32,
    times: Vec<Duration>,
    processor: Duration,
}

impl<'a> Asked<'a> {
    fn new(name: &'static str, installation: &'a Installation, process: u32) -> Self {
        Self { name, installation, process, times: Vec::new(), processor: Duration::ZERO }
    }

    async fn ask(&mut self, times: usize) {
        let used = processor_time(self.process);
        for typed in TYPED.iter().cycle().take(times) {
            let begun = Instant::now();
            let choices = self.installation.ada.autocomplete("snapshot take", "droplet", typed, &[]).await.unwrap();
            self.times.push(begun.elapsed());
            assert!(!choices.is_empty(), "{} {typed}", self.name);
        }
        self.processor += processor_time(self.process).saturating_sub(used);
    }

    fn forget(&mut self) {
        self.times.clear();
        self.processor = Duration::ZERO;
    }

    /// Prints what was measured. Returns the 99th percentile and the processor time of a keystroke, in microseconds.
    fn tell(mut self) -> (f64, f64) {
        self.times.sort_unstable();
        let count = self.times.len();
        let at = |percent: usize| self.times[(count - 1) * percent / 100].as_secs_f64() * 1e6;
        let processor = self.processor.as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap());
        let (p50, p99) = (at(50), at(99));
        println!(
            "{}, {count} keystrokes: p50 {p50:.0} µs, p99 {p99:.0} µs, processor {processor:.0} µs each",
            self.name
        );
        (p99, processor)
    }
}

/// What all threads of a process have used of the processor so far.
fn processor_time(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    // In nanoseconds; see `proc_pid_schedstat(5)`. Hundredths of a second, as in `stat`, are too coarse for a round.
    let used = threads.filter_map(|thread| {
        let stat = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(used.sum())
}
