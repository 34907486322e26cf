//! What the face may rely on: a confirmation counts once, for one person, in time.

use snapshot_bot::{
    operation::ids::{GuildId, InteractionId, UserId},
    store::{Confirmation, ConfirmationRefused, CreateError, Store, What},
};

use crate::memory::{Memory, at, request};

const ASKER: UserId = UserId(u64::MAX);
const GUILD: GuildId = GuildId(2);

async fn ask(store: &Store) -> snapshot_bot::store::ConfirmationId {
    let what = "{\"restore\":1}".to_owned();
    store.create_confirmation(&Confirmation { asker: ASKER, guild: GUILD, what, expires_at: at(120) }).await.unwrap()
}

contract! {
    async fn a_confirmation_works_once(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        let press = |interaction| store.use_confirmation(id, ASKER, GUILD, at(1), InteractionId(interaction));
        assert_eq!(press(1).await.unwrap(), Ok("{\"restore\":1}".to_owned()));
        assert_eq!(press(2).await.unwrap(), Err(ConfirmationRefused::Used));
    }

    async fn many_presses_at_once_count_once(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        let presses = (1..=8).map(|number| store.use_confirmation(id, ASKER, GUILD, at(1), InteractionId(number)));
        let outcomes = futures_util::future::join_all(presses).await;
        let counted = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Ok(_)))).count();
        assert_eq!(counted, 1, "{outcomes:?}");
    }

    async fn a_press_delivered_twice_creates_one_operation(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        for _ in 0..2 {
            let what = store.use_confirmation(id, ASKER, GUILD, at(1), InteractionId(1)).await.unwrap();
            assert_eq!(what, Ok("{\"restore\":1}".to_owned()));
        }
        let created = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let again = store.create(request(2, 10), InteractionId(1)).await;
        assert!(matches!(again, Err(CreateError::Repeated(id)) if id == created.id), "{again:?}");
        let timeline = store.timeline(created.id).await.unwrap();
        assert_eq!(timeline.iter().map(|event| &event.what).collect::<Vec<_>>(), [&What::Asked, &What::Confirmed]);
    }

    async fn nobody_else_confirms(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        let stranger = store.use_confirmation(id, UserId(1), GUILD, at(1), InteractionId(1)).await.unwrap();
        assert_eq!(stranger, Err(ConfirmationRefused::NotYours));
        let elsewhere = store.use_confirmation(id, ASKER, GuildId(3), at(1), InteractionId(2)).await.unwrap();
        assert_eq!(elsewhere, Err(ConfirmationRefused::NotYours));
        store.use_confirmation(id, ASKER, GUILD, at(1), InteractionId(3)).await.unwrap().unwrap();
    }

    async fn a_late_press_is_too_late(memory: &Memory) {
        let store = memory.open().await;
        let id = ask(&store).await;
        let late = store.use_confirmation(id, ASKER, GUILD, at(120), InteractionId(1)).await.unwrap();
        assert_eq!(late, Err(ConfirmationRefused::Expired));
    }

    async fn a_forged_id_is_unknown(memory: &Memory) {
        let store = memory.open().await;
        ask(&store).await;
        let forged = "00000000000000ff".parse().unwrap();
        let refused = store.use_confirmation(forged, ASKER, GUILD, at(1), InteractionId(1)).await.unwrap();
        assert_eq!(refused, Err(ConfirmationRefused::Unknown));
    }
}
