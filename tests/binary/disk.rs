//! A full disk, and one that another program keeps full. Runs if `SMALL_DISK` names a folder on a file system that may be filled.

use std::{
    fs::File,
    io::Write as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use super::{
    installation::Installation,
    process::{Signal, until_answered},
    required,
};

/// Takes every free block, and each one that becomes free.
struct Eater {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Eater {
    /// Returns once the disk is full.
    fn fill(path: PathBuf) -> Self {
        let (stop, mut file) = (Arc::new(AtomicBool::new(false)), File::create(path).unwrap());
        let block = [b'x'; 4096];
        while file.write_all(&block).is_ok() {}
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                if file.write_all(&block).is_err() {
                    std::thread::yield_now();
                }
            }
        });
        Self { stop, thread }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
    }
}

#[tokio::test]
async fn on_a_disk_that_stays_full_the_droplet_comes_back_on_and_people_are_told() {
    for end in [Signal::Kill, Signal::Terminate] {
        comes_back_on_after(end, Index::Stays).await;
    }
    // Each start creates the file again, and sometimes loses its space to what fills the disk.
    comes_back_on_after(Signal::Kill, Index::Goes).await;
}

/// What happens to the file with the index of SQLite's write-ahead log.
#[derive(PartialEq, Eq)]
enum Index {
    Stays,
    Goes,
}

/// Ends the bot with this signal while a Droplet is off and the disk is full. The bot must continue in the space that it reserved.
async fn comes_back_on_after(end: Signal, index: Index) {
    let Some(disk) = required::variable("SMALL_DISK", "a folder of a file system that may be filled") else { return };
    let mut installation = Installation::new().await;
    let folder = tempfile::tempdir_in(disk).unwrap();
    installation.environment.insert("DATABASE_URL", format!("sqlite://{}", folder.path().join("bot.db").display()));
    let (bot, address) = installation.ready("bot").await;
    let held = installation.take_held_at("snapshot").await;
    let eater = Eater::fill(folder.path().join("eaten"));
    bot.signal(end);
    bot.end().await;
    if index == Index::Goes {
        std::fs::remove_file(folder.path().join("bot.db-shm")).unwrap();
    }
    held.release();
    let second = installation.start_with("second", &[("HTTP_ADDR", address.clone())]);
    installation.reads("is ready").await;
    assert!(installation.web_is_on());
    assert!(index == Index::Stays || second.logged().contains("no other program can read the database"));
    installation.discord.until(|world| world.is_bot_online().then_some(())).await;
    for _ in 0..5 {
        installation.ada.run("/snapshot take droplet:db-1 power:live").await.unwrap();
        installation.ada.run("/snapshot status").await.unwrap();
    }
    eater.stop();
    until_answered(&address, "/readyz", 200, "ready").await;
    installation.stop(second).await;
}
