//! The stage: the whole bot, as `main` starts it, between a simulated Discord and a simulated DigitalOcean.
//!
//! A scenario adds people, lets them type and press, and reads what they see. It fails on its own when it leaves an answer unread, an
//! operation running, a Droplet off, or a request that the vendors would refuse.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::LazyLock,
    time::Duration,
};

use jiff::SignedDuration;
use regex::Regex;
use snapshot_bot::clock::Clock;
use snapshot_bot_sandbox::{
    digitalocean::{action::Progress, droplet::Status, fault::Fault, server::DigitalOcean, world::World as Cloud},
    discord::{
        interaction::{Choice, Response},
        permission::Permissions,
        refused::Refused,
        server::Discord,
        settings::{Now, Settings as ChatSettings},
        simulated_user::SimulatedUser,
        snowflake::Snowflake,
    },
};
use sqlx::{AnyPool, Row, any::AnyPoolOptions};

use crate::{
    bot::{Bot, Housing},
    drop_bomb::DropBomb,
    environment::{environment, quick},
    schema::Schema,
    sent,
    services::Services,
    waiting::within,
};

/// How long a scenario may be silent before it fails with the conversation so far.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a person waits for a bot that is thinking. Longer than necessary, so that a busy machine changes nothing.
const THINKING: Duration = PATIENCE;

/// A person's rights, by the roles that they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May do everything.
    Restorer,
    /// May take Snapshots.
    Operator,
    /// May only look.
    Viewer,
    /// May do nothing.
    Guest,
    /// Manage Server, with none of the configured roles.
    Admin,
}

/// Everything that a scenario needs.
pub struct Stage {
    pub digitalocean: DigitalOcean,
    pub discord: Discord,
    pub guild: Snowflake,
    pub ops: Snowflake,
    pub clock: Clock,
    pub environment: BTreeMap<&'static str, String>,
    roles: BTreeMap<&'static str, Snowflake>,
    directory: tempfile::TempDir,
    schema: Option<Schema>,
    bot: Option<Bot>,
    read: Rc<RefCell<BTreeSet<Snowflake>>>,
    /// Complaints that the scenario provokes on purpose.
    pub excused: Vec<&'static str>,
    /// Whether an ended operation may still watch for a late shutdown, which it does for fifteen minutes.
    pub watches_late_shutdowns: bool,
    /// Where the bot runs.
    pub housing: Housing,
    bomb: DropBomb,
}

impl Stage {
    /// A guild with `#ops`, Droplets `web-1` and `db-1`, and a bot that is ready.
    pub async fn new() -> Self {
        let mut stage = Self::dark().await;
        stage.start().await;
        stage
    }

    /// A stage as `new` builds it, before the bot is started.
    pub async fn dark() -> Self {
        Self::dark_with(ChatSettings::default()).await
    }

    /// A stage as `new` builds it, with a DigitalOcean that uses the bot's clock: days pass for both.
    pub async fn in_step() -> Self {
        let mut stage = Self::dark_in_step().await;
        stage.start().await;
        stage
    }

    /// A stage as `in_step` builds it, with a Discord that uses the bot's clock too: messages and presses get older with it.
    pub async fn all_in_step() -> Self {
        let clock = Clock::wall();
        let theirs = clock.clone();
        let settings = ChatSettings { now: Now::new(move || theirs.now()), ..ChatSettings::default() };
        let mut stage = Self::dark_by(settings, clock.clone(), clock).await;
        stage.start().await;
        stage
    }

    /// A stage as `in_step` builds it, before the bot is started.
    pub async fn dark_in_step() -> Self {
        let clock = Clock::wall();
        Self::dark_by(ChatSettings::default(), clock.clone(), clock).await
    }

    /// A stage before the bot is started, with these settings of Discord.
    pub async fn dark_with(settings: ChatSettings) -> Self {
        Self::dark_by(settings, Clock::wall(), Clock::wall()).await
    }

    async fn dark_by(settings: ChatSettings, clock: Clock, theirs: Clock) -> Self {
        if std::env::var_os("RUST_LOG").is_some() {
            let filter = tracing_subscriber::EnvFilter::from_default_env();
            let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).try_init();
        }
        let services = Services::start(settings, quick(), &["web-1", "db-1"], move || theirs.now()).await;
        let directory = tempfile::tempdir().unwrap();
        let mut environment = environment(&services, directory.path());
        let Services { discord, digitalocean, guild, ops } = services;
        digitalocean.world(Cloud::mark_power);
        let roles = ["Restorer", "Operator", "Viewer"]
            .map(|name| (name, discord.world().add_role(guild, name, Permissions::NONE)));
        let roles = BTreeMap::from(roles);
        environment.extend([
            ("VIEW_ROLES", roles["Viewer"].to_string()),
            ("TAKE_ROLES", roles["Operator"].to_string()),
            ("RESTORE_ROLES", roles["Restorer"].to_string()),
            ("SHUTDOWN_TIMEOUT", "20s".to_owned()),
            ("DECISION_TIMEOUT", "1m".to_owned()),
            // People in scenarios are faster than real ones.
            ("INTERACTIONS_PER_PERSON", "10000".to_owned()),
        ]);
        Self {
            digitalocean,
            discord,
            guild,
            ops,
            clock,
            environment,
            roles,
            directory,
            schema: None,
            bot: None,
            read: Rc::default(),
            excused: Vec::new(),
            watches_late_shutdowns: false,
            housing: Housing::default(),
            bomb: DropBomb::new("a scenario ends with `finish`, which looks at what it leaves behind"),
        }
    }

    /// Starts the bot and waits until it is connected to Discord's gateway and has registered its commands.
    pub async fn start(&mut self) {
        self.launch().await;
        self.online().await;
    }

    /// Starts the bot. Its requests begin to be sent.
    pub async fn launch(&mut self) {
        self.bot = Some(Bot::launch(self.housing, &self.environment, &self.clock).await);
    }

    /// Waits until the bot receives interactions.
    pub async fn online(&self) {
        let path = ["snapshot", "take"].map(str::to_owned);
        self.until("the bot is online, with its commands", |stage| {
            let world = stage.discord.world();
            world.is_bot_online() && world.registered(Some(stage.guild), &path).is_some()
        })
        .await;
    }

    /// Stops the bot as a signal would.
    pub async fn stop(&mut self) {
        if let Some(bot) = self.bot.take() {
            bot.stop().await;
        }
    }

    /// Ends the bot with all of its tasks, wherever they are, as `kill -9` does.
    pub async fn kill(&mut self) {
        if let Some(bot) = self.bot.take() {
            bot.kill().await;
        }
        self.until("Discord sees that the bot is gone", |stage| !stage.discord.world().is_bot_online()).await;
    }

    /// Adds a known person in another channel, or in a direct one.
    pub fn sit(&self, user: Snowflake, channel: Snowflake) -> Person {
        Person { seat: self.discord.as_user(user, channel), read: Rc::clone(&self.read), polish: self.polish() }
    }

    /// The id of the Droplet with this name.
    pub fn droplet(&self, name: &str) -> u64 {
        self.digitalocean.read(|world| world.droplet_named(name).expect("a Droplet").id)
    }

    /// Whether the Droplet with this name is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.digitalocean
            .read(|world| world.droplet_named(name).is_some_and(|droplet| droplet.status == Status::Active))
    }

    /// Adds a fault at DigitalOcean.
    pub fn fault(&self, fault: Fault) {
        self.digitalocean.world(|world| world.add_fault(fault));
    }

    /// What the bot prints after it has ended on its own.
    pub async fn last_words(&mut self) -> String {
        self.bot.take().expect("a bot").last_words().await
    }

    /// Adds a person in `#ops`.
    pub fn seat(&self, name: &str, role: Role) -> Person {
        let mut world = self.discord.world();
        let user = world.add_user(name);
        let roles: Vec<Snowflake> = match role {
            Role::Restorer => vec![self.roles["Restorer"]],
            Role::Operator => vec![self.roles["Operator"]],
            Role::Viewer => vec![self.roles["Viewer"]],
            Role::Guest => Vec::new(),
            Role::Admin => vec![world.add_role(self.guild, "Admin", Permissions::MANAGE_GUILD)],
        };
        world.join(self.guild, user, &roles);
        drop(world);
        self.sit(user, self.ops)
    }

    /// Waits until nothing runs, everything was posted, and every message is up to date.
    pub async fn settle(&self) {
        self.settled_or("everything has settled", |_| false).await;
    }

    /// Waits until everything has settled, or `instruction` is true. Returns whether everything has settled.
    pub async fn settled_or(&self, what: &str, instruction: impl Fn(&Self) -> bool) -> bool {
        self.settled_within(PATIENCE, what, instruction).await
    }

    /// Waits as `settled_or` does, for scenarios that take longer than most.
    pub async fn settled_within(&self, patience: Duration, what: &str, instruction: impl Fn(&Self) -> bool) -> bool {
        let pool = self.database().await;
        let settled = Cell::new(false);
        self.until_within(patience, what, async || {
            let open = count(&pool, self.unsettled()).await;
            let unsaid =
                count(&pool, "SELECT COUNT(*) AS n FROM reports WHERE message_id IS NULL AND given_up IS NULL").await;
            // An edit for which the bot has lost the right is retried for a day; the scenario does not wait for that.
            let soon = self.clock.now() + SignedDuration::from_mins(6);
            let unshown = format!(
                "SELECT COUNT(*) AS n FROM operations o JOIN reports r ON r.operation = o.id AND r.kind = 'progress' \
                 WHERE o.version > o.shown_version AND r.given_up IS NULL AND r.due_at < {}",
                soon.as_millisecond()
            );
            let unshown = count(&pool, &unshown).await;
            let outdated = count(
                &pool,
                "SELECT COUNT(*) AS n FROM reports WHERE message_id IS NOT NULL AND given_up IS NULL \
                 AND ((kind IN ('question', 'warning', 'answer') AND shown_version = 0) OR (kind = 'stuck' AND changes > shown_version))",
            )
            .await;
            let unshown = unshown + outdated;
            if open == 0 && unsaid + unshown > 0 {
                // Only the pause between two edits, or before another attempt, is left, so the clock skips it.
                self.clock.advance(SignedDuration::from_secs(1));
            }
            settled.set(open + unsaid + unshown == 0);
            settled.get() || instruction(self)
        })
        .await;
        settled.get()
    }

    /// Moves to a schema of its own on a PostgreSQL server.
    pub async fn move_to_postgresql(&mut self, server: &str) {
        let schema = Schema::create(server.to_owned()).await;
        self.environment.insert("DATABASE_URL", schema.url());
        self.schema = Some(schema);
    }

    /// Ends the lease of the dead bot, as an operator may who knows that its machine is gone. Otherwise it expires.
    pub async fn end_lease(&self) {
        sqlx::query("UPDATE lease SET holder = ''").execute(&self.database().await).await.unwrap();
    }

    /// Changes the bot's database while no bot runs.
    pub async fn tamper(&self, statement: &'static str) {
        sqlx::query(statement).execute(&self.database().await).await.unwrap();
    }

    fn unsettled(&self) -> &'static str {
        if self.watches_late_shutdowns {
            "SELECT COUNT(*) AS n FROM operations WHERE is_running = 1"
        } else {
            "SELECT COUNT(*) AS n FROM operations WHERE is_open = 1"
        }
    }

    /// Adds this many copies of the only schedule, while no bot runs.
    pub async fn multiply_schedules(&self, count: usize) {
        let pool = self.database().await;
        let row = sqlx::query("SELECT id, state FROM schedules").fetch_one(&pool).await.unwrap();
        let (id, state): (String, String) = (row.get("id"), row.get("state"));
        let mut transaction = pool.begin().await.unwrap();
        for number in 0..count {
            let copy = format!("z{number:05}");
            sqlx::query(
                "INSERT INTO schedules (id, version, guild_id, droplet_id, is_removed, due_at, state) \
                 SELECT $1, version, guild_id, droplet_id, is_removed, 0, $2 FROM schedules WHERE id = $3",
            )
            .bind(&copy)
            .bind(state.replace(&id, &copy))
            .bind(&id)
            .execute(&mut *transaction)
            .await
            .unwrap();
        }
        transaction.commit().await.unwrap();
    }

    /// Keeps all others from writing to the database, as a backup tool may, until it is dropped.
    pub async fn lock_database(&self) -> sqlx::Transaction<'static, sqlx::Any> {
        self.database().await.begin_with("BEGIN IMMEDIATE").await.unwrap()
    }

    /// A number from the bot's database.
    pub async fn query(&self, statement: &'static str) -> i64 {
        count(&self.database().await, statement).await
    }

    /// Waits until a count in the bot's database is not zero.
    pub async fn until_query(&self, what: &str, statement: &'static str) {
        let pool = self.database().await;
        self.until_async(what, async || count(&pool, statement).await > 0).await;
    }

    /// Waits until a count in the bot's database has reached `least`.
    pub async fn until_count(&self, what: &str, statement: &'static str, least: i64) {
        let pool = self.database().await;
        self.until_async(what, async || count(&pool, statement).await >= least).await;
    }

    async fn open_operations(&self) -> String {
        let rows = sqlx::query("SELECT state, due_at, version FROM operations WHERE is_open = 1");
        let rows = rows.fetch_all(&self.database().await).await.unwrap_or_default();
        let line = |row: &sqlx::any::AnyRow| {
            let (state, due_at, version): (String, Option<i64>, i64) =
                (row.get("state"), row.get("due_at"), row.get("version"));
            format!("version {version}, due at {due_at:?}: {state}")
        };
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    async fn database(&self) -> AnyPool {
        sqlx::any::install_default_drivers();
        let url = self.environment["DATABASE_URL"].clone();
        AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap()
    }

    /// Waits until `instruction` is true.
    pub async fn until(&self, what: &str, instruction: impl Fn(&Self) -> bool) {
        self.until_async(what, async || instruction(self)).await;
    }

    pub async fn until_async(&self, what: &str, instruction: impl AsyncFn() -> bool) {
        self.until_within(PATIENCE, what, instruction).await;
    }

    async fn until_within(&self, patience: Duration, what: &str, instruction: impl AsyncFn() -> bool) {
        let (mut chat, mut cloud) = (self.discord.changes(), self.digitalocean.changes());
        let waiting = async {
            while !instruction().await {
                // The database does not notify of its commits, so it is queried again from time to time.
                let soon = tokio::time::sleep(Duration::from_millis(20));
                tokio::select! {
                    _ = chat.changed() => {}
                    _ = cloud.changed() => {}
                    () = soon => {}
                }
            }
        };
        within(patience, waiting, async || {
            let open = self.open_operations().await;
            format!("{what}\n--- open operations\n{open}\n{}", self.conversation())
        })
        .await;
    }

    /// Waits until a person sees a text. Skips the pauses between two edits.
    pub async fn shows(&self, person: &Person, text: &str) {
        self.until_async(&format!("{text} is shown"), async || {
            let is_seen = person.sees(text);
            if !is_seen {
                self.clock.advance(SignedDuration::from_millis(100));
            }
            is_seen
        })
        .await;
    }

    /// Waits until `instruction` is true, while hours pass.
    pub async fn until_later(&self, what: &str, instruction: impl Fn(&Self) -> bool) {
        self.until_async(what, async || {
            let is_so = instruction(self);
            if !is_so {
                // Time that passes makes the bot act, which often wakes this wait. Without a pause, whole days would fly by. On a busy machine,
                // time that passes too fast makes each look too old for the command that follows it.
                tokio::time::sleep(Duration::from_millis(20)).await;
                self.clock.advance(SignedDuration::from_secs(2));
            }
            is_so
        })
        .await;
    }

    /// Waits until an Action runs on a Droplet whose Snapshot must not end on its own.
    pub async fn snapshot_begins(&self, droplet: &str) {
        let begun = |world: &Cloud| {
            let pending = world.droplet_named(droplet).and_then(|droplet| droplet.pending);
            pending.and_then(|id| world.action(id)).is_some_and(|action| action.kind.as_str() == "snapshot")
        };
        self.until("a snapshot has begun", |stage| stage.digitalocean.read(begun)).await;
    }

    /// Completes the Action that runs on a Droplet.
    pub fn complete_action(&self, droplet: &str) {
        self.digitalocean.world(|world| {
            let pending = world.droplet_named(droplet).and_then(|droplet| droplet.pending).expect("an Action");
            world.finish_action(pending, Progress::Completed);
        });
    }

    /// Everything that was posted and sent, for debugging.
    pub fn conversation(&self) -> String {
        let sent: Vec<String> = self
            .digitalocean
            .journal()
            .iter()
            .map(|entry| format!("{} {} -> {:?}", entry.request.method, entry.request.path, entry.status()))
            .collect();
        let (readers, bot): (BTreeSet<Snowflake>, Snowflake) = {
            let world = self.discord.world();
            (world.messages_in(self.ops).filter_map(|message| message.only_for).collect(), world.bot())
        };
        let seen: Vec<String> = readers
            .into_iter()
            .chain([bot])
            .map(|user| format!("--- #ops as {user} sees it\n{}", self.discord.as_user(user, self.ops).transcript()))
            .collect();
        format!("--- DigitalOcean\n{}\n{}", sent.join("\n"), seen.join("\n"))
    }

    /// The POSTs and DELETEs that DigitalOcean has received, as words such as `shutdown web-1`.
    pub fn commands(&self) -> Vec<String> {
        sent::commands(&self.digitalocean)
    }

    /// Ends the scenario and checks that it left nothing behind.
    pub async fn finish(mut self) {
        self.bomb.defuse();
        let open = self.query(self.unsettled()).await;
        assert_eq!(open, 0, "an operation is left open\n{}", self.conversation());
        self.stop().await;
        let left_off: Vec<String> =
            self.digitalocean.world(|world| world.left_off().iter().map(|droplet| droplet.name.clone()).collect());
        assert!(left_off.is_empty(), "left off: {left_off:?}\n{}", self.conversation());
        let complaints = self.discord.world().complaints();
        let complaints: Vec<_> = complaints
            .iter()
            .filter(|complaint| !self.excused.iter().any(|excused| complaint.what.contains(excused)))
            .collect();
        assert!(complaints.is_empty(), "Discord complains: {complaints:#?}");
        let rejections = self.digitalocean.world(|world| world.rejections().to_vec());
        assert!(rejections.is_empty(), "DigitalOcean complains: {rejections:#?}");
        let unread: Vec<_> = self
            .discord
            .world()
            .messages_in(self.ops)
            .filter(|message| !self.read.borrow().contains(&message.id))
            .map(|message| message.body.content.clone())
            .collect();
        assert!(unread.is_empty(), "nobody read: {unread:#?}");
        drop(self.directory);
        if let Some(schema) = self.schema {
            schema.drop().await;
        }
    }

    fn polish(&self) -> Polish {
        Polish { cloud_ids: self.digitalocean.world(|world| world.droplets().map(|droplet| droplet.id).collect()) }
    }
}

async fn count(pool: &AnyPool, statement: &str) -> i64 {
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).fetch_one(pool).await.unwrap().get("n")
}

/// A person in the channel.
pub struct Person {
    pub seat: SimulatedUser,
    read: Rc<RefCell<BTreeSet<Snowflake>>>,
    polish: Polish,
}

impl Person {
    /// Types a command and sends it.
    pub async fn run(&self, line: &str) -> Response {
        match self.seat.run(line).await {
            Ok(response) => {
                self.answered(&response).await;
                response
            }
            Err(refused) => panic!("{line}: {refused}"),
        }
    }

    /// Waits until the bot has stopped thinking, as a person does who reads the answer. The wait is limited, since some answers never come.
    pub async fn answered(&self, response: &Response) {
        let Response::Thinking(id) = response else { return };
        let is_loading = || self.seat.messages().iter().any(|message| message.id == *id && message.is_loading());
        let filled = async {
            while is_loading() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(THINKING, filled).await;
    }

    /// Types a command that Discord or the bot may refuse.
    pub async fn try_run(&self, line: &str) -> Result<Response, Refused> {
        self.seat.run(line).await
    }

    /// Types a part of an option and returns the labels of the suggestions.
    pub async fn suggestions(&self, path: &str, option: &str, partial: &str) -> Vec<String> {
        let choices: Vec<Choice> = self.seat.autocomplete(path, option, partial, &[]).await.unwrap();
        choices.into_iter().map(|choice| choice.name).collect()
    }

    /// Presses the button with this label on the latest message that has it.
    pub async fn press(&self, label: &str) -> Response {
        let (message, custom_id) =
            self.button(label).unwrap_or_else(|| panic!("no button {label}\n{}", self.seat.transcript()));
        let private = || self.seat.messages().iter().filter(|message| !message.is_public()).count();
        let shown =
            || self.seat.messages().into_iter().find(|found| found.id == message).map(|found| found.body.content);
        let (before, count) = (shown(), private());
        let response = self.seat.press(message, &custom_id).await.unwrap();
        self.answered(&response).await;
        if let Response::WillUpdate(_) = response {
            let replaced = async {
                while shown() == before && private() == count {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let _ = tokio::time::timeout(THINKING, replaced).await;
        }
        response
    }

    /// The button with this label, if it can be pressed. Text in parentheses after the label does not matter.
    pub fn button(&self, label: &str) -> Option<(Snowflake, String)> {
        self.seat.button(label)
    }

    /// Whether a message still has a button or menu with this custom id.
    pub fn offers(&self, message: Snowflake, custom_id: &str) -> bool {
        let mut messages = self.seat.messages().into_iter();
        let message = messages.find(|found| found.id == message);
        message.is_some_and(|message| message.components().any(|component| component["custom_id"] == custom_id))
    }

    /// The menu on the latest message that has one: its message, its custom id, and its values.
    pub fn menu(&self) -> Option<(Snowflake, String, Vec<String>)> {
        self.seat.messages().iter().rev().find_map(|message| {
            let menu = message.components().find(|part| part["type"] == 3)?;
            let options = menu["options"].as_array()?.iter();
            let values = options.filter_map(|option| option["value"].as_str()).map(str::to_owned).collect();
            Some((message.id, menu["custom_id"].as_str()?.to_owned(), values))
        })
    }

    /// Chooses from that menu.
    pub async fn choose(&self, value: &str) -> Response {
        let (message, custom_id, _) = self.menu().unwrap_or_else(|| panic!("no menu\n{}", self.seat.transcript()));
        let shown = || {
            let found = self.seat.messages().into_iter().find(|found| found.id == message);
            found.map(|found| (found.body, found.edits.len()))
        };
        let before = shown();
        let response = self.seat.choose(message, &custom_id, &[value]).await.unwrap();
        self.answered(&response).await;
        if let Response::WillUpdate(_) = response {
            let replaced = async {
                while shown().as_ref().map(|(_, edits)| *edits) == before.as_ref().map(|(_, edits)| *edits) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let _ = tokio::time::timeout(THINKING, replaced).await;
        }
        response
    }

    /// The text of the last message that this person sees.
    pub fn last(&self) -> String {
        self.seat.messages().last().map(|message| message.body.content.clone()).unwrap_or_default()
    }

    /// What this person sees, identical from run to run. It counts as read.
    pub fn transcript(&self) -> String {
        self.read.borrow_mut().extend(self.seat.messages().iter().map(|message| message.id));
        self.polish.apply(&self.seat.transcript())
    }

    /// Whether this person sees a text now.
    pub fn sees(&self, text: &str) -> bool {
        self.seat.transcript().contains(text)
    }
}

/// Removes what differs from run to run from a transcript.
struct Polish {
    cloud_ids: Vec<u64>,
}

impl Polish {
    fn apply(&self, text: &str) -> String {
        static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
            [
                (r"\b\d{8}-\d{4}\b", "DATE-TIME"),
                (r"\b\d+ (h|min|s)( \d+ (min|s))?\b", "SOME TIME"),
                (r"<t:\d+:", "<t:TIME:"),
                (r"\bincident `?[0-9a-z]{8}`?", "incident INCIDENT"),
                // Whether the Action's end or its effect on the Droplet was read first.
                (
                    r"Snapshot — (taken; I turn the Droplet on first|I check it once the Droplet is back on)",
                    "Snapshot — LATER",
                ),
                // If a question is shown a second late, it is edited, because its deadline counts from when it was shown.
                (r"(What should I do\?) \(edited\)", "$1"),
            ]
            .map(|(rule, by)| (Regex::new(rule).unwrap(), by))
            .into()
        });
        // One id in twenty has no digit and looks like a word, so it is recognized by the text before it.
        static OPERATION: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\b(operation `?|DATE-TIME-|[a-z]-)?([0-9a-hjkmnp-tv-z]{8})\b").unwrap());
        let mut text = RULES.iter().fold(text.to_owned(), |text, (rule, by)| rule.replace_all(&text, *by).into_owned());
        let mut names: Vec<String> = Vec::new();
        for found in OPERATION.captures_iter(&text.clone()) {
            let id = &found[2];
            let has_digit = id.bytes().any(|byte| byte.is_ascii_digit()) && !self.is_cloud_id(id);
            let looks_like_one = has_digit || found.get(1).is_some();
            if looks_like_one && !names.iter().any(|name| name == id) {
                names.push(id.to_owned());
            }
        }
        for (number, id) in names.iter().enumerate() {
            text = text.replace(id, &format!("OPERATION-{}", number + 1));
        }
        text
    }

    fn is_cloud_id(&self, text: &str) -> bool {
        text.parse().is_ok_and(|id| self.cloud_ids.contains(&id))
    }
}
