//! What people do: they request operations of every kind, and send instructions at any time, sometimes twice.

use snapshot_bot::{
    operation::{
        Instructed, Instruction, NewOperation, Requester, Target, TypicalDurations,
        effect::NewDroplet,
        ids::{ChannelId, DropletId, InteractionId, OperationId, SnapshotId, UserId},
        kinds::{Delete, Downtime, IfHung, Kind, Launch, Restart, Restore, Safety, SnapshotRef, Take, TurnOn},
        launch_tag,
    },
    store::{Consent, CreateError, Error},
};

use super::{Broken, Lawful, Simulation, TAG, front, mood::Mood};

const ASKER: Requester = Requester { user: front::TAKER, guild: front::GUILD, channel: ChannelId(3) };
/// All instructions.
const INSTRUCTIONS: [Instruction; 8] = [
    Instruction::Cancel,
    Instruction::Force,
    Instruction::Live,
    Instruction::LeaveOff,
    Instruction::HandleIt,
    Instruction::KeepWaiting,
    Instruction::TurnOn,
    Instruction::QuestionShown,
];

impl Simulation {
    /// A person requests an operation. If something may be lost, they are asked first.
    pub(crate) async fn ask(&mut self) -> Lawful {
        let Some(request) = self.invent() else { return Ok(()) };
        if front::is_asked_about(&request.kind) {
            return self.ask_first(request).await;
        }
        self.interactions += 1;
        Box::pin(self.begin_wanted(request, InteractionId(self.interactions), None)).await
    }

    /// Creates an operation for a person, unless something prevents it.
    pub(crate) async fn begin_wanted(
        &mut self,
        request: NewOperation,
        interaction: InteractionId,
        consent: Option<&Consent>,
    ) -> Lawful {
        let (id, droplet, word) = (request.id, request.target.droplet, request.kind.word());
        let twice = (consent.is_none() && self.once_in(6)).then(|| request.clone());
        let busy =
            self.operations.values().any(|it| it.is_running() && droplet.is_some() && it.target.droplet == droplet);
        let (first, write) = (self.first_answer(), self.fate_of_write());
        // A refusal is a value; only a failure of the store is an error.
        let create = async {
            match self.store.create_answered(request, interaction, consent, first).await {
                Err(CreateError::Unavailable(error)) => Err(error),
                created => Ok(created),
            }
        };
        let (created, is_written) = write.of(Box::pin(create)).await;
        let created = match created {
            Ok(created) => created,
            Err(Error::Full | Error::Unavailable(_)) if !is_written => {
                self.note(format!("{word} of {droplet:?} cannot be written down"));
                return Ok(());
            }
            // The person reads that it failed, but it may exist: its first answer is never reported.
            Err(Error::Full | Error::Unavailable(_)) => {
                if self.store.operation(id).await?.is_some() {
                    self.note(format!("{id} is asked for, and nobody learns that"));
                    self.front_knows(id, first);
                    self.refresh_around(id, droplet).await?;
                }
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        match created {
            Ok(operation) => {
                self.note(format!("{id} is asked for: {word} of {droplet:?} {:?} {first:?}", operation.kind));
                if busy {
                    return Err(Broken::Law(format!("{id} runs beside another operation of its Droplet")));
                }
                self.answer_first(id, first);
                self.refresh_around(id, droplet).await?;
            }
            Err(CreateError::AlreadyRunning { operation, .. }) => {
                self.note(format!("{word} of {droplet:?} is refused: {operation} is not done"));
                return Ok(());
            }
            Err(CreateError::SnapshotInUse { operation, .. }) => {
                self.note(format!("{word} of {droplet:?} is refused: {operation} uses the Snapshot"));
                return Ok(());
            }
            Err(CreateError::Repeated(other)) if other == id && consent.is_some() => return Ok(()),
            Err(CreateError::Repeated(other)) => {
                return Err(Broken::Law(format!("a new interaction counts as that of {other}")));
            }
            Err(CreateError::Unconfirmed(why)) => {
                return Err(Broken::Law(format!("an answer in time does not count: {why:?}")));
            }
            Err(CreateError::NotWaiting) => {
                return Err(Broken::Law("a person's instruction waits for no schedule".to_owned()));
            }
            Err(CreateError::TriedAgain { operation, .. }) => {
                return Err(Broken::Law(format!("nothing is tried again here, and {operation} counts as that")));
            }
            Err(CreateError::Unavailable(error)) => return Err(error.into()),
        }
        if let Some(again) = twice {
            let again = NewOperation { id: self.new_id(), ..again };
            match self.store.create(again, interaction).await {
                Err(CreateError::Repeated(other)) if other == id => {}
                other => return Err(Broken::Law(format!("an interaction that came twice gave {other:?}"))),
            }
        }
        Ok(())
    }

    /// An ended operation may have handed over its owed power to the new one.
    async fn refresh_around(&mut self, id: OperationId, droplet: Option<DropletId>) -> Lawful {
        let heirs = self.operations.values().filter(|it| it.is_open() && it.target.droplet == droplet);
        let older: Vec<OperationId> = heirs.map(|it| it.id).collect();
        for changed in older.into_iter().chain([id]) {
            self.refresh(changed).await?;
        }
        self.refresh_owed().await
    }

    fn new_id(&mut self) -> OperationId {
        OperationId::from_random(self.dice.u64(..))
    }

    fn invent(&mut self) -> Option<NewOperation> {
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
        let kind = match (self.dice.u8(..14), snapshot) {
            (12, _) => Kind::TurnOn(TurnOn {}),
            (13, _) => Kind::Restart(Restart {}),
            (0..=4, _) | (_, None) => Kind::Take(Take { power: Downtime::PowerOff, if_hung }),
            (5, _) => Kind::Take(Take { power: Downtime::None, if_hung }),
            (6 | 7, Some(snapshot)) => Kind::Restore(Restore { snapshot, safety: Safety::Snapshot, rewrites: None }),
            (8, Some(snapshot)) => Kind::Restore(Restore { snapshot, safety: Safety::None, rewrites: None }),
            (9 | 10, Some(snapshot)) => Kind::Launch(Launch { droplet: new_droplet(id, snapshot.id), snapshot }),
            (_, Some(snapshot)) => Kind::Delete(Delete { snapshot }),
        };
        let (kind, is_undo) = match self.undoable(DropletId(droplet)) {
            Some(snapshot) if self.dice.bool() => {
                (Kind::Restore(Restore { snapshot, safety: Safety::Snapshot, rewrites: None }), true)
            }
            Some(_) | None => (kind, false),
        };
        if is_undo {
            self.note(format!("somebody presses Undo: {kind:?}"));
            self.coverage.case("Undo is pressed");
        }
        let user = match &kind {
            Kind::Take { .. } | Kind::TurnOn { .. } => [front::TAKER, front::OWNER][self.dice.usize(..2)],
            Kind::Restore { .. }
            | Kind::Launch { .. }
            | Kind::Delete { .. }
            | Kind::Restart { .. }
            | Kind::Backups { .. } => front::OWNER,
        };
        let requester = Requester { user, ..ASKER };
        let target = match &kind {
            Kind::Launch(Launch { droplet, .. }) => Target {
                droplet: None,
                name: droplet.name.clone(),
                region: Some(droplet.region.clone()),
                disk_gb: None,
            },
            Kind::Take { .. }
            | Kind::Restore { .. }
            | Kind::Delete { .. }
            | Kind::TurnOn { .. }
            | Kind::Restart { .. }
            | Kind::Backups { .. } => {
                Target { droplet: Some(DropletId(droplet)), name, region: None, disk_gb: Some(25) }
            }
        };
        let snapshot_name = self.dice.bool().then(|| "before the update".to_owned());
        Some(NewOperation {
            id,
            kind,
            requester,
            asked_at: self.wall(),
            target,
            snapshot_name,
            typical: TypicalDurations::default(),
        })
    }

    /// The safety Snapshot that *Undo* would put back: it still exists, and it holds the disk from before the restore.
    fn undoable(&self, droplet: DropletId) -> Option<SnapshotRef> {
        let mut restores = self.operations.values().filter(|it| it.target.droplet == Some(droplet));
        let (restore, safety) = restores.find_map(|it| {
            let until = it.undo_until().filter(|until| *until > self.wall());
            until.and_then(|_| Some((it, it.safety_snapshot()?)))
        })?;
        let image = self.world.image(safety.id.0).filter(|image| image.is_listed(self.now))?;
        (image.name == restore.snapshot_name).then(|| SnapshotRef { id: safety.id, name: image.name.clone() })
    }

    /// A person presses a button, or the reporter reports that the question can be read.
    pub(crate) async fn press(&mut self) -> Lawful {
        let open: Vec<OperationId> = self.operations.values().filter(|it| it.is_open()).map(|it| it.id).collect();
        let Some(id) = self.dice.choice(&open).copied() else { return Ok(()) };
        if self.moods.has(Mood::Impatience) {
            let instruction = INSTRUCTIONS[self.dice.usize(..INSTRUCTIONS.len())];
            return self.say(id, instruction).await;
        }
        let asks = self.operations.get(&id).is_some_and(|it| it.question.is_some());
        let stuck = self.operations.get(&id).is_some_and(|it| it.power.last_call().is_some());
        let instruction = match self.dice.u8(..12) {
            4..=6 if asks => Instruction::Force,
            7 | 8 if asks => Instruction::Live,
            9 if asks => Instruction::Cancel,
            0 if stuck => Instruction::HandleIt,
            3 if stuck => Instruction::KeepWaiting,
            4 | 5 if stuck => Instruction::TurnOn,
            1 | 2 => INSTRUCTIONS[self.dice.usize(..INSTRUCTIONS.len())],
            // Most people leave it alone.
            _ => return Ok(()),
        };
        self.say(id, instruction).await
    }

    async fn say(&mut self, id: OperationId, instruction: Instruction) -> Lawful {
        let Some(requester) = self.operations.get(&id).map(|it| it.requester.user) else { return Ok(()) };
        if let Some(by) = self.presser(instruction, requester) {
            return self.say_by(id, instruction, by).await;
        }
        self.note(format!("somebody may not say {instruction:?} to {id}"));
        Ok(())
    }

    /// Sends an instruction by a person with the right.
    pub(crate) async fn say_by(&mut self, id: OperationId, instruction: Instruction, by: UserId) -> Lawful {
        let instructed = Instructed { instruction, by, at: self.wall() };
        self.interactions += 1;
        let is_press = !matches!(
            instruction,
            Instruction::QuestionShown
                | Instruction::AnswerTaken
                | Instruction::AnswerLost
                | Instruction::AnswerRefused
        );
        let interaction = is_press.then_some(InteractionId(self.interactions));
        let times = if self.once_in(6) { 2 } else { 1 };
        for _ in 0..times {
            let (heard, is_written) =
                self.fate_of_write().of(Box::pin(self.store.instruct(id, instructed, interaction))).await;
            // An answer to a question that is not open is not stored.
            if is_written && self.store.unheard().await?.contains(&id) {
                self.unheard.insert(id, self.interactions);
                self.conduct.note_decision(id, instruction);
            }
            self.note(format!("{id} is told {instruction:?} by {by}: {heard:?}"));
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
