//! The bot on the stage, in a runtime or a process of its own, so that it can be killed with everything that it started.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    time::Duration,
};

use snapshot_bot::{
    app::{self, App},
    clock::Clock,
    config::Config,
    store,
};
use tokio::{
    runtime::{Builder, Runtime},
    task::spawn_blocking,
};

/// How long a killed bot may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the bot runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Housing {
    /// In a runtime of the test's own process.
    #[default]
    Runtime,
    /// In a process: the program that ships.
    Process,
}

/// A running bot.
pub struct Bot(Option<Body>);

enum Body {
    Inside(Runtime, App),
    Process(Child),
}

impl Bot {
    /// Starts it. Its requests begin to be sent.
    pub async fn launch(housing: Housing, environment: &BTreeMap<&'static str, String>, clock: &Clock) -> Self {
        if housing == Housing::Process {
            let child = Command::new(env!("CARGO_BIN_EXE_snapshot-bot"))
                .env_clear()
                .envs(environment)
                .env("RUST_LOG", "error")
                .stdin(Stdio::null())
                .spawn();
            return Self(Some(Body::Process(child.expect("the program starts"))));
        }
        let config = Config::from_lookup(|name| environment.get(name).cloned()).unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (inside, clock) = (runtime.handle().clone(), clock.clone());
        let starting = move || {
            let app = loop {
                match inside.block_on(App::start(config.clone(), clock.clone())) {
                    // A bot that was killed inside this process releases its lock a moment later than a process would.
                    Err(app::Error::Store(store::Error::InUse { .. })) => std::thread::yield_now(),
                    started => break started.expect("the bot starts"),
                }
            };
            Self(Some(Body::Inside(runtime, app)))
        };
        spawn_blocking(starting).await.unwrap()
    }

    /// Stops it as a signal would.
    pub async fn stop(mut self) {
        match self.0.take().expect("a body") {
            Body::Inside(runtime, app) => {
                runtime.spawn(app.stop()).await.unwrap().unwrap();
                join(runtime).await;
            }
            Body::Process(mut child) => {
                let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
                assert!(told.expect("kill is there").success());
                let status = spawn_blocking(move || child.wait()).await.unwrap().unwrap();
                assert!(status.success(), "stopped by a signal, the bot ended with {status}");
            }
        }
    }

    /// Ends it with all of its tasks, wherever they are.
    pub async fn kill(mut self) {
        match self.0.take().expect("a body") {
            Body::Inside(runtime, app) => {
                drop(app);
                join(runtime).await;
            }
            Body::Process(mut child) => {
                child.kill().unwrap();
                spawn_blocking(move || child.wait()).await.unwrap().unwrap();
            }
        }
    }

    /// What it prints after it has ended on its own.
    pub async fn last_words(mut self) -> String {
        match self.0.take().expect("a body") {
            Body::Inside(runtime, mut app) => {
                let ended = runtime.spawn(async move { app.ended().await }).await.unwrap();
                join(runtime).await;
                ended.map_or_else(|error| error.to_string(), |()| "no complaint".to_owned())
            }
            Body::Process(mut child) => spawn_blocking(move || child.wait()).await.unwrap().unwrap().to_string(),
        }
    }
}

impl Drop for Bot {
    /// A failed scenario leaves its bot behind; waiting for it here would hide the reason.
    fn drop(&mut self) {
        match self.0.take() {
            Some(Body::Inside(runtime, _)) => runtime.shutdown_background(),
            Some(Body::Process(mut child)) => {
                // It may have ended on its own.
                let _ = child.kill();
                let _ = child.wait();
            }
            None => {}
        }
    }
}

async fn join(runtime: Runtime) {
    spawn_blocking(move || runtime.shutdown_timeout(PATIENCE)).await.unwrap();
}
