//! Tokens appear nowhere: not in the most verbose log, not in the database, not in what others receive.

use std::fs;

use snapshot_bot_sandbox::digitalocean::world::TOKEN;

use super::installation::Installation;

#[tokio::test]
async fn tokens_appear_nowhere_however_loud_the_log() {
    for format in ["pretty", "json"] {
        let mut installation = Installation::new().await;
        let loud = "trace,snapshot_bot=trace,serenity=trace,reqwest=trace,hyper=trace,sqlx=trace,rustls=trace";
        installation.environment.insert("RUST_LOG", loud.to_owned());
        installation.environment.insert("LOG_FORMAT", format.to_owned());
        let (bot, _) = installation.ready("bot").await;
        installation.ada.autocomplete("snapshot take", "droplet", "we", &[]).await.unwrap();
        installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
        installation.reads("is ready").await;
        let log = installation.stop(bot).await.stderr;
        assert!(log.contains("DEBUG") && log.contains("interaction"), "the log is loud\n{log}");
        let discord = installation.discord.token();
        for entry in fs::read_dir(installation.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            for token in [discord.as_str(), TOKEN] {
                assert!(!holds(&bytes, token), "a token is in {}", path.display());
            }
        }
        let world = installation.discord.world();
        for exchange in world.journal() {
            let (body, query) = (exchange.request.body.to_string(), &exchange.request.query);
            assert!(!body.contains(&discord) && !body.contains(TOKEN) && !query.contains(TOKEN), "{exchange:?}");
            // The path of a response to an Interaction contains the Interaction's token.
            let interaction = exchange.request.path.split('/').find(|part| part.len() > 40);
            assert!(interaction.is_none_or(|token| !log.contains(token)), "an Interaction's token is in the log");
        }
        drop(world);
        for entry in installation.digitalocean.journal() {
            assert!(!holds(&entry.request.body, TOKEN) && !holds(&entry.request.body, &discord));
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
