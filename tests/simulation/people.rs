//! What people say: new operations of every kind, and wishes at any time, twice sometimes.

use snapshot_bot::{
    operation::{
        Asker, Request, Target, Usual, Wish, Wished,
        ids::{ChannelId, DropletId, GuildId, InteractionId, OperationId, SnapshotId, UserId},
        launch_tag,
        plan::{Downtime, IfHung, Kind, Safety, SnapshotRef},
        request::NewDroplet,
    },
    store::CreateError,
};

use super::{Broken, Lawful, Simulation, TAG, mood::Mood};

const ASKER: Asker = Asker { user: UserId(1), guild: GuildId(2), channel: ChannelId(3) };
/// Everything that can be said.
const WISHES: [Wish; 8] = [
    Wish::Cancel,
    Wish::Force,
    Wish::Live,
    Wish::LeaveOff,
    Wish::HandleIt,
    Wish::KeepWaiting,
    Wish::TurnOn,
    Wish::QuestionShown,
];

impl Simulation {
    /// Somebody asks for an operation.
    pub(crate) async fn ask(&mut self) -> Lawful {
        let Some(request) = self.invent() else { return Ok(()) };
        self.interactions += 1;
        let interaction = InteractionId(self.interactions);
        let (id, droplet, word) = (request.id, request.target.droplet, request.kind.word());
        let twice = self.once_in(6).then(|| request.clone());
        let busy =
            self.operations.values().any(|it| it.is_running() && droplet.is_some() && it.target.droplet == droplet);
        match self.store.create(request, interaction).await {
            Ok(operation) => {
                self.note(format!("{id} is asked for: {word} of {droplet:?} {:?}", operation.kind));
                if busy {
                    return Err(Broken::Law(format!("{id} runs beside another operation of its Droplet")));
                }
                // What an ended operation still owed may have passed to the new one.
                let heirs = self.operations.values().filter(|it| it.is_open() && it.target.droplet == droplet);
                let older: Vec<OperationId> = heirs.map(|it| it.id).collect();
                for changed in older.into_iter().chain([id]) {
                    self.refresh(changed).await?;
                }
                self.refresh_debts().await?;
            }
            Err(CreateError::AlreadyRunning { operation, .. }) => {
                self.note(format!("{word} of {droplet:?} is refused: {operation} is not done"));
                return Ok(());
            }
            Err(CreateError::SnapshotInUse { operation, .. }) => {
                self.note(format!("{word} of {droplet:?} is refused: {operation} uses the Snapshot"));
                return Ok(());
            }
            Err(CreateError::Repeated(other)) => {
                return Err(Broken::Law(format!("a new interaction counts as that of {other}")));
            }
            Err(CreateError::Unconfirmed(why)) => {
                return Err(Broken::Law(format!("nobody was asked, and yet the answer does not count: {why:?}")));
            }
            Err(CreateError::Unavailable(error)) => return Err(error.into()),
        }
        if let Some(again) = twice {
            let again = Request { id: self.new_id(), ..again };
            match self.store.create(again, interaction).await {
                Err(CreateError::Repeated(other)) if other == id => {}
                other => return Err(Broken::Law(format!("an interaction that came twice gave {other:?}"))),
            }
        }
        Ok(())
    }

    fn new_id(&mut self) -> OperationId {
        OperationId::from_random(self.dice.u64(..))
    }

    fn invent(&mut self) -> Option<Request> {
        let id = self.new_id();
        let droplets: Vec<(u64, String)> =
            self.world.droplets().filter(|it| it.name != "bystander").map(|it| (it.id, it.name.clone())).collect();
        let (droplet, name) = self.dice.choice(&droplets)?.clone();
        let images: Vec<(u64, String)> = self
            .world
            .snapshots_of(droplet)
            .into_iter()
            .filter(|it| it.is_listed(self.now))
            .map(|it| (it.id, it.name.clone()))
            .collect();
        let image = self.dice.choice(&images).cloned();
        let snapshot = image.map(|(id, name)| SnapshotRef { id: SnapshotId(id), name });
        let if_hung = [IfHung::Ask, IfHung::Force, IfHung::Live][self.dice.usize(..3)];
        let kind = match (self.dice.u8(..12), snapshot) {
            (0..=4, _) | (_, None) => Kind::Take { power: Downtime::PowerOff, if_hung },
            (5, _) => Kind::Take { power: Downtime::None, if_hung },
            (6 | 7, Some(snapshot)) => Kind::Restore { snapshot, safety: Safety::Snapshot },
            (8, Some(snapshot)) => Kind::Restore { snapshot, safety: Safety::None },
            (9 | 10, Some(snapshot)) => Kind::Launch { droplet: new_droplet(id, snapshot.id), snapshot },
            (_, Some(snapshot)) => Kind::Delete { snapshot },
        };
        let target = match &kind {
            Kind::Launch { droplet, .. } => Target {
                droplet: None,
                name: droplet.name.clone(),
                region: Some(droplet.region.clone()),
                disk_gb: None,
            },
            Kind::Take { .. } | Kind::Restore { .. } | Kind::Delete { .. } => {
                Target { droplet: Some(DropletId(droplet)), name, region: None, disk_gb: Some(25) }
            }
        };
        let snapshot_name = self.dice.bool().then(|| "before the update".to_owned());
        Some(Request { id, kind, asker: ASKER, asked_at: self.wall(), target, snapshot_name, usual: Usual::default() })
    }

    /// Somebody presses something, or the reporter says that the question can be read.
    pub(crate) async fn press(&mut self) -> Lawful {
        let open: Vec<OperationId> = self.operations.values().filter(|it| it.is_open()).map(|it| it.id).collect();
        let Some(id) = self.dice.choice(&open).copied() else { return Ok(()) };
        if self.moods.has(Mood::Impatience) {
            let wish = WISHES[self.dice.usize(..WISHES.len())];
            return self.say(id, wish).await;
        }
        let asks = self.operations.get(&id).is_some_and(|it| it.question.is_some());
        let stuck = self.operations.get(&id).is_some_and(|it| it.power.last_call().is_some());
        let wish = match self.dice.u8(..12) {
            0..=4 if asks => Wish::QuestionShown,
            5 | 6 if asks => Wish::Force,
            7 | 8 if asks => Wish::Live,
            9 if asks => Wish::Cancel,
            0 if stuck => Wish::HandleIt,
            3 if stuck => Wish::KeepWaiting,
            4 | 5 if stuck => Wish::TurnOn,
            1 | 2 => WISHES[self.dice.usize(..WISHES.len())],
            // Most people leave it alone.
            _ => return Ok(()),
        };
        self.say(id, wish).await
    }

    async fn say(&mut self, id: OperationId, wish: Wish) -> Lawful {
        let wished = Wished { wish, by: UserId(9), at: self.wall() };
        self.interactions += 1;
        let interaction = (wish != Wish::QuestionShown).then_some(InteractionId(self.interactions));
        let times = if self.once_in(6) { 2 } else { 1 };
        for _ in 0..times {
            let heard = self.store.wish(id, wished, interaction).await?;
            self.unheard.insert(id, self.interactions);
            self.note(format!("{id} is told {wish:?}: {heard:?}"));
        }
        Ok(())
    }
}

fn new_droplet(id: OperationId, image: SnapshotId) -> NewDroplet {
    NewDroplet {
        name: format!("copy-{id}"),
        region: "nyc3".to_owned(),
        size: "s-1vcpu-1gb".to_owned(),
        image,
        tags: vec![launch_tag(id), TAG.to_owned()],
        ssh_keys: Vec::new(),
    }
}
