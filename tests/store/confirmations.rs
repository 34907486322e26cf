//! What the Discord front end may rely on: a confirmation counts once, for one person, in time, and begins one operation.

use snapshot_bot::{
    operation::{
        Outcome,
        ids::{GuildId, InteractionId, UserId},
    },
    store::{Confirmation, ConfirmationId, ConfirmationRefused, Consent, CreateError, Store, What},
};

use crate::memory::{Memory, at, ended, load, request};

const ASKER: UserId = UserId(u64::MAX);
const GUILD: GuildId = GuildId(2);

async fn ask(store: &Store) -> ConfirmationId {
    let what = "{\"restore\":1}".to_owned();
    store
        .create_confirmation(&Confirmation { requester: ASKER, guild: GUILD, what, expires_at: at(120) })
        .await
        .unwrap()
}

/// The requester answers in time.
fn press(id: ConfirmationId, interaction: u64) -> Consent {
    Consent { id, by: ASKER, guild: GUILD, at: at(1), interaction: InteractionId(interaction), retries: None }
}

/// Why an answer does not count, by every function that checks it.
async fn refused(store: &Store, consent: Consent) -> ConfirmationRefused {
    let shown = store.confirmation(&consent).await.unwrap().unwrap_err();
    let created = store.create_confirmed(request(99, 99), &consent).await;
    assert!(matches!(created, Err(CreateError::Unconfirmed(why)) if why == shown), "{created:?}");
    assert_eq!(store.close_confirmation(&consent).await.unwrap(), Err(shown));
    shown
}

contract! {
    async fn a_confirmation_begins_one_operation(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        assert_eq!(store.confirmation(&press(id, 1)).await.unwrap(), Ok("{\"restore\":1}".to_owned()));
        let created = store.create_confirmed(request(1, 10), &press(id, 1)).await.unwrap();
        let timeline = store.timeline(created.id).await.unwrap();
        assert_eq!(timeline.iter().map(|event| &event.what).collect::<Vec<_>>(), [&What::Asked, &What::Confirmed]);
        assert_eq!(refused(&store, press(id, 2)).await, ConfirmationRefused::Used);
    }

    async fn a_confirmation_that_began_nothing_can_be_given_again(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        let running = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let busy = store.create_confirmed(request(2, 10), &press(id, 2)).await;
        assert!(matches!(busy, Err(CreateError::AlreadyRunning { .. })), "{busy:?}");
        store.confirmation(&press(id, 3)).await.unwrap().unwrap();
        let loaded = load(&store, running.id).await;
        store.commit(&loaded, &ended(running, Outcome::Completed, at(9)), None).await.unwrap();
        store.create_confirmed(request(2, 10), &press(id, 3)).await.unwrap();
        assert_eq!(store.running().await.unwrap().len(), 1);
    }

    async fn a_question_that_was_closed_begins_nothing(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        store.close_confirmation(&press(id, 1)).await.unwrap().unwrap();
        assert_eq!(refused(&store, press(id, 2)).await, ConfirmationRefused::Used);
        assert_eq!(store.running().await.unwrap(), []);
    }

    async fn many_presses_at_once_begin_one_operation(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        let presses: Vec<_> = (1..=8).map(|number| press(id, number)).collect();
        let tries = presses.iter().zip(1..).map(|(press, number)| store.create_confirmed(request(number, number), press));
        let outcomes = futures_util::future::join_all(tries).await;
        let begun = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(begun, 1, "{outcomes:?}");
        assert_eq!(store.running().await.unwrap().len(), 1);
    }

    async fn a_press_delivered_twice_creates_one_operation(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        let created = store.create_confirmed(request(1, 10), &press(id, 1)).await.unwrap();
        store.confirmation(&press(id, 1)).await.unwrap().unwrap();
        let again = store.create_confirmed(request(2, 10), &press(id, 1)).await;
        assert!(matches!(again, Err(CreateError::Repeated(id)) if id == created.id), "{again:?}");
    }

    async fn nobody_else_confirms(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        let stranger = Consent { by: UserId(1), ..press(id, 1) };
        assert_eq!(refused(&store, stranger).await, ConfirmationRefused::NotYours);
        let elsewhere = Consent { guild: GuildId(3), ..press(id, 2) };
        assert_eq!(refused(&store, elsewhere).await, ConfirmationRefused::NotYours);
        store.create_confirmed(request(1, 10), &press(id, 3)).await.unwrap();
    }

    async fn a_late_press_is_too_late(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        let late = Consent { at: at(120), ..press(id, 1) };
        assert_eq!(refused(&store, late).await, ConfirmationRefused::Expired);
    }

    async fn a_forged_id_is_unknown(memory: &Memory) {
        let store = memory.open().await;
        ask(&store).await;
        let forged = press("00000000000000ff".parse().unwrap(), 1);
        assert_eq!(refused(&store, forged).await, ConfirmationRefused::Unknown);
    }
}
