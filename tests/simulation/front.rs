//! Discord's side: questions before something destructive, first answers, and a reporter whose posts get lost, late or refused.
//!
//! The tables are the store's, and so are the decisions: which answers count, and what is due. Texts and rights are not simulated; a person
//! either has the right or is refused before anything is stored.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{
    access::{Grant, Person, Policy, Right, Roles},
    discord::press::Act,
    operation::{
        FirstAnswer, Instructed, Instruction, NewOperation, Operation,
        effect::Command,
        ids::{GuildId, InteractionId, MessageId, OperationId, RoleId, UserId},
        kinds::Kind,
        power::Status,
        report::ReportKind,
    },
    store::{Confirmation, ConfirmationId, ConfirmationRefused, Consent, Error, Report},
};

use super::{Broken, Lawful, Simulation};

pub(crate) const GUILD: GuildId = GuildId(2);
/// A person who may take Snapshots, and nothing more.
pub(crate) const TAKER: UserId = UserId(1);
/// A person who may do everything.
pub(crate) const OWNER: UserId = UserId(9);
/// A person who may only look.
const VIEWER: UserId = UserId(7);
const PEOPLE: [UserId; 3] = [TAKER, OWNER, VIEWER];
/// How long a question stays open, as in the front end.
const OPEN: SignedDuration = SignedDuration::from_mins(2);
/// The pause before another attempt at Discord.
const RETRY: SignedDuration = SignedDuration::from_secs(5);

fn law<T>(broken: String) -> Lawful<T> {
    Err(Broken::Law(broken))
}

/// A question to one person.
pub(crate) struct Asked {
    id: ConfirmationId,
    requester: UserId,
    expires_at: Timestamp,
    wanted: NewOperation,
    used_by: Option<InteractionId>,
}

/// What Discord knows, and what is on its way to it.
#[derive(Default)]
pub(crate) struct Front {
    questions: Vec<Asked>,
    /// First answers on their way, and when their outcome is known.
    answers: Vec<(Timestamp, OperationId, FirstAnswer)>,
    /// What the requester really read.
    read: BTreeMap<OperationId, FirstAnswer>,
    /// The messages, by the nonce of their post.
    messages: BTreeMap<String, MessageId>,
    /// The messages of each report, as people see them.
    said: BTreeMap<(OperationId, ReportKind), BTreeSet<MessageId>>,
    /// The generation of each report that was last posted.
    generations: BTreeMap<(OperationId, ReportKind), u32>,
    /// Operations that began with a confirmation.
    confirmed: BTreeSet<OperationId>,
}

fn policy() -> Policy {
    let role = |id| BTreeSet::from([RoleId(id)]);
    Policy::new([GUILD], Roles { view: role(11), take: role(12), restore: role(13) })
}

/// A person's Grant, according to the policy.
fn authorize(user: UserId, right: Right) -> Option<Grant> {
    let role = match user {
        OWNER => 13,
        TAKER => 12,
        _ => 11,
    };
    let roles = BTreeSet::from([RoleId(role)]);
    let person = Person { guild: Some(GUILD), user, roles, administrator: false, manage_guild: false };
    policy().authorize(&person, right).ok()
}

/// Whether a person may send an instruction, according to an independent copy of the rule.
fn may(user: UserId, instruction: Instruction, requester: UserId) -> bool {
    match instruction {
        Instruction::Cancel | Instruction::Force | Instruction::Live => {
            user == OWNER || (user == TAKER && requester == TAKER)
        }
        Instruction::LeaveOff | Instruction::HandleIt => user == OWNER,
        Instruction::KeepWaiting | Instruction::TurnOn | Instruction::Postpone => user == OWNER || user == TAKER,
        Instruction::QuestionShown
        | Instruction::WarningShown
        | Instruction::WarningRefused
        | Instruction::AnswerTaken
        | Instruction::AnswerLost
        | Instruction::AnswerRefused => true,
    }
}

fn act(instruction: Instruction) -> Option<Act> {
    match instruction {
        Instruction::Cancel => Some(Act::Cancel),
        Instruction::Force => Some(Act::Force),
        Instruction::Live => Some(Act::Live),
        Instruction::LeaveOff => Some(Act::LeaveOff),
        Instruction::HandleIt => Some(Act::HandleIt),
        Instruction::KeepWaiting => Some(Act::KeepWaiting),
        Instruction::TurnOn => Some(Act::TurnOn),
        Instruction::Postpone => Some(Act::Postpone),
        Instruction::QuestionShown
        | Instruction::WarningShown
        | Instruction::WarningRefused
        | Instruction::AnswerTaken
        | Instruction::AnswerLost
        | Instruction::AnswerRefused => None,
    }
}

/// Whether people are asked before an operation of this kind begins.
pub(crate) fn is_asked_about(kind: &Kind) -> bool {
    matches!(kind, Kind::Restore { .. } | Kind::Delete { .. } | Kind::Restart { .. } | Kind::Backups { .. })
}

/// Decisions about an operation come only from people with the right.
pub(crate) fn judge_rights(operation: &Operation) -> Lawful {
    let requester = operation.requester.user;
    let decided = operation.decision.and_then(|it| Some((it.by?, it.instruction)));
    // A person who wants a Droplet on also stops the operation that needs it off.
    let stops = if operation.power.was_hurried() { Instruction::TurnOn } else { Instruction::Cancel };
    let stopped = operation.cancelled.and_then(|it| Some((it.by?, stops)));
    let released = match operation.power.status() {
        Status::Released(release) => Some((release.by, Instruction::LeaveOff)),
        _ => None,
    };
    for (by, instruction) in [decided, stopped, released].into_iter().flatten() {
        if !may(by, instruction, requester) {
            return law(format!("{} hears {instruction:?} of somebody without the right", operation.id));
        }
    }
    Ok(())
}

impl Simulation {
    /// A person who may press this, if the front end permits anyone.
    pub(crate) fn presser(&mut self, instruction: Instruction, requester: UserId) -> Option<UserId> {
        let user = PEOPLE[self.dice.usize(..PEOPLE.len())];
        let right = act(instruction).map(|act| act.right(requester, user));
        right.is_none_or(|right| authorize(user, right).is_some()).then_some(user)
    }

    /// Asks a person to confirm an operation.
    pub(crate) async fn ask_first(&mut self, wanted: NewOperation) -> Lawful {
        let expires_at = self.wall() + OPEN;
        let what = wanted.id.to_string();
        let requester = wanted.requester.user;
        let id = self.store.create_confirmation(&Confirmation { requester, guild: GUILD, what, expires_at }).await?;
        self.note(format!("{requester} is asked about {:?} {:?}", wanted.id, wanted.kind));
        self.front.questions.push(Asked { id, requester, expires_at, wanted, used_by: None });
        Ok(())
    }

    /// A person presses *Yes*: in time or not, once or twice, the one who was asked or another.
    pub(crate) async fn confirm(&mut self) -> Lawful {
        if self.front.questions.is_empty() {
            return Ok(());
        }
        let index = self.dice.usize(..self.front.questions.len());
        let mut asked = self.front.questions.remove(index);
        let by = if self.once_in(6) { PEOPLE[self.dice.usize(..PEOPLE.len())] } else { asked.requester };
        self.interactions += 1;
        let interaction = InteractionId(self.interactions);
        let times = if self.once_in(4) { 2 } else { 1 };
        for _ in 0..times {
            Box::pin(self.confirm_once(&mut asked, by, interaction)).await?;
        }
        // Some press again later, and the others never do.
        if self.dice.bool() {
            self.front.questions.push(asked);
        }
        Ok(())
    }

    async fn confirm_once(&mut self, asked: &mut Asked, by: UserId, interaction: InteractionId) -> Lawful {
        if authorize(by, Right::Restore).is_none() {
            return Ok(());
        }
        let consent = Consent { id: asked.id, by, guild: GUILD, at: self.wall(), interaction, retries: None };
        let expected = match asked {
            _ if by != asked.requester => Err(ConfirmationRefused::NotYours),
            Asked { used_by: Some(other), .. } if *other != interaction => Err(ConfirmationRefused::Used),
            Asked { used_by: None, .. } if consent.at >= asked.expires_at => Err(ConfirmationRefused::Expired),
            _ => Ok(()),
        };
        let told = match self.store.confirmation(&consent).await? {
            Ok(_) => Ok(()),
            Err(refused) => Err(refused),
        };
        if told != expected {
            return law(format!("a yes of {by} counts as {told:?} where it should as {expected:?}"));
        }
        if told.is_err() {
            self.coverage.case("a yes does not count");
            return Ok(());
        }
        self.coverage.case("a yes counts");
        let wanted = NewOperation { asked_at: self.wall(), ..asked.wanted.clone() };
        let id = wanted.id;
        Box::pin(self.begin_wanted(wanted, interaction, Some(&consent))).await?;
        if self.operations.contains_key(&id) {
            asked.used_by = Some(interaction);
            self.front.confirmed.insert(id);
        }
        Ok(())
    }

    /// What is known about the first answer when an operation is created.
    pub(crate) fn first_answer(&mut self) -> FirstAnswer {
        if self.dice.bool() { FirstAnswer::Awaited } else { FirstAnswer::Taken }
    }

    /// Records an operation that waits for its first answer.
    pub(crate) fn answer_first(&mut self, id: OperationId, known: FirstAnswer) {
        if known != FirstAnswer::Awaited {
            self.front.read.insert(id, known);
            return;
        }
        let outcome = match self.dice.u8(..10) {
            0 => FirstAnswer::Refused,
            1 => FirstAnswer::Lost,
            _ => FirstAnswer::Taken,
        };
        self.front.read.insert(id, outcome);
        let at = self.now + self.seconds(8);
        self.front.answers.push((at, id, outcome));
    }

    /// Records an operation whose requester read that it failed, and whose first answer is never reported.
    pub(crate) fn front_knows(&mut self, id: OperationId, known: FirstAnswer) {
        self.front.read.insert(id, known);
        self.front.confirmed.insert(id);
    }

    /// When the outcome of a first answer is next known.
    pub(crate) fn first_answer_known_at(&self) -> Option<Timestamp> {
        self.front.answers.iter().map(|(at, ..)| *at).min()
    }

    /// Reports the outcomes of first answers.
    pub(crate) async fn tell_first_answers(&mut self) -> Lawful {
        let now = self.now;
        let answers = std::mem::take(&mut self.front.answers);
        let (known, open) = answers.into_iter().partition(|(at, ..)| *at <= now);
        self.front.answers = open;
        let known: Vec<_> = known;
        for (_, id, outcome) in known {
            let instruction = match outcome {
                FirstAnswer::Taken => Instruction::AnswerTaken,
                FirstAnswer::Lost | FirstAnswer::Awaited => Instruction::AnswerLost,
                FirstAnswer::Refused => Instruction::AnswerRefused,
            };
            let Some(requester) = self.operations.get(&id).map(|it| it.requester.user) else { continue };
            self.say_by(id, instruction, requester).await?;
        }
        Ok(())
    }

    /// The process ends, so the outcomes of pending first answers are never reported.
    pub(crate) fn forget_first_answers(&mut self) {
        self.front.answers.clear();
    }

    /// When a command is about to be sent, its requester was answered, and an operation that overwrites was confirmed.
    pub(crate) fn judge_acceptance(&self, operation: &Operation, command: &Command) -> Lawful {
        let (id, kind) = (operation.id, &operation.kind);
        let is_power = matches!(command, Command::PowerOn(_));
        let may_go_on = match operation.first_answer {
            FirstAnswer::Taken => true,
            FirstAnswer::Lost => matches!(kind, Kind::Take { .. }),
            FirstAnswer::Awaited | FirstAnswer::Refused => false,
        };
        let was_refused = operation.first_answer == FirstAnswer::Taken
            && self.front.read.get(&id).is_some_and(|read| *read != FirstAnswer::Taken);
        if !is_power && (!may_go_on || was_refused) {
            return law(format!("{id} sends {command:?} for somebody who was not answered"));
        }
        if is_asked_about(kind) && !self.front.confirmed.contains(&id) {
            return law(format!("{id} sends {command:?} although nobody with the right said yes"));
        }
        Ok(())
    }

    /// The reporter sends what is due, and Discord accepts it or not.
    pub(crate) async fn report(&mut self) -> Lawful {
        let due = self.store.due_reports(self.wall(), 20).await?;
        if due.is_empty() {
            return Ok(());
        }
        let report = &due[self.dice.usize(..due.len())];
        match self.say_report(report).await {
            // The report has moved on meanwhile.
            Err(Broken::Store(Error::LeaseLost)) => Ok(()),
            outcome => outcome,
        }
    }

    async fn say_report(&mut self, report: &Report) -> Lawful {
        let (id, kind, wall) = (report.operation.operation.id, report.kind, self.wall());
        let version = report.operation.version;
        if report.message.is_some() {
            self.store.report_editing(report).await?;
            if self.troubled && self.once_in(20) {
                self.note(format!("somebody has deleted {kind:?} of {id}"));
                self.front.said.remove(&(id, kind));
                return Ok(self.store.report_deleted(report).await?);
            }
            return Ok(self.store.report_edited(report, version, "", wall).await?);
        }
        self.store.report_posting(report, wall).await?;
        let transit = if self.is_rough() { self.dice.u8(..12) } else { 9 };
        if transit == 0 {
            // The process died, or Discord refused it.
            self.note(format!("Discord refuses {kind:?} of {id}"));
            return Ok(self.store.report_failed(report, wall + RETRY, u32::MAX).await?);
        }
        // Discord recognizes an earlier post by its nonce.
        let next = MessageId(u64::try_from(self.front.messages.len()).unwrap_or_default() + 1);
        let message = *self.front.messages.entry(kind.nonce(id, report.generation)).or_insert(next);
        self.front.said.entry((id, kind)).or_default().insert(message);
        if transit <= 2 {
            self.note(format!("{kind:?} of {id} is said, and nobody learns that"));
            self.coverage.case("a post is taken and nobody learns that");
            return Ok(self.store.report_failed(report, wall + RETRY, u32::MAX).await?);
        }
        self.note(format!("{kind:?} of {id} is said"));
        self.store.report_posted(report, message, version, "", wall).await?;
        self.front.generations.insert((id, kind), report.generation);
        if kind == ReportKind::Question && !(self.is_rough() && self.once_in(6)) {
            let bot = UserId(0);
            let instructed = Instructed { instruction: Instruction::QuestionShown, by: bot, at: wall };
            self.interactions += 1;
            self.store.instruct(id, instructed, None).await?;
            self.unheard.insert(id, self.interactions);
        }
        Ok(())
    }

    /// Every required report is due or was posted, and every due report is required.
    pub(crate) async fn judge_reports(&mut self) -> Lawful {
        let mut due: BTreeMap<(OperationId, ReportKind), usize> = BTreeMap::new();
        for report in self.store.due_reports(Timestamp::MAX, usize::MAX >> 1).await? {
            if report.message.is_none() {
                *due.entry((report.operation.operation.id, report.kind)).or_default() += 1;
            }
        }
        if let Some(((id, kind), count)) = due.iter().find(|(_, count)| **count != 1) {
            return law(format!("{id} is reported {count} times as {kind:?}"));
        }
        let listed = self.listed_elsewhere().await?;
        for operation in self.operations.values() {
            for kind in ReportKind::all() {
                let report = (operation.id, kind);
                let times = operation.times_called_for(kind);
                let is_due = due.contains_key(&report);
                let was_said = self.front.generations.get(&report).is_some_and(|said| *said >= times);
                // People who were called for help stay called, even when power is back.
                let is_over = kind == ReportKind::Stuck;
                let is_listed = kind == ReportKind::Stuck && listed.contains(&operation.id);
                if times > 0 && !is_due && !was_said && !is_listed {
                    return law(format!("{} calls for {kind:?}, which is neither due nor said", operation.id));
                }
                if times == 0 && is_due && !is_over {
                    return law(format!("{} has {kind:?} due, which nothing calls for", operation.id));
                }
            }
        }
        Ok(())
    }

    /// The operations that are listed in another one's call.
    async fn listed_elsewhere(&self) -> Lawful<BTreeSet<OperationId>> {
        let mut listed = BTreeSet::new();
        for leader in self.operations.values().filter(|it| it.power.calls() > 0) {
            let called = self.store.called_with(leader.id).await?;
            listed.extend(called.into_iter().map(|it| it.operation.id).filter(|id| *id != leader.id));
        }
        Ok(listed)
    }

    /// At the end, everything was posted, and each outcome once.
    pub(crate) async fn judge_what_was_said(&mut self) -> Lawful {
        for _ in 0..1_000 {
            // Nothing waits for a moment that only other events would bring.
            let due = self.store.due_reports(Timestamp::MAX, 50).await?;
            if due.is_empty() {
                break;
            }
            for report in &due {
                match self.say_report(report).await {
                    Ok(()) | Err(Broken::Store(Error::LeaseLost)) => {}
                    Err(broken) => return Err(broken),
                }
            }
        }
        let listed = self.listed_elsewhere().await?;
        for operation in self.operations.values() {
            let times = |kind| self.front.said.get(&(operation.id, kind)).map_or(0, BTreeSet::len);
            let wanted = usize::from(!operation.is_withdrawn());
            if times(ReportKind::Answer) != wanted {
                let answers = times(ReportKind::Answer);
                return law(format!("the end of {} is announced {answers} times, not {wanted}", operation.id));
            }
            if operation.power.calls() > 0 && times(ReportKind::Stuck) == 0 && !listed.contains(&operation.id) {
                return law(format!("{} called for help, and nobody heard it", operation.id));
            }
        }
        Ok(())
    }
}
