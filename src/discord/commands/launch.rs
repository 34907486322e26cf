//! `/snapshot launch` creates a Droplet from a Snapshot, after a question with the price. The region and the size are the source's unless
//! others are chosen. *Launch…* under a Snapshot leads here too.

mod ask;

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{CHOICES, Context, announce, choices::OneOf, granted, sibling, snapshots};
use crate::{
    access::{Grant, Right},
    discord::{
        confirm::{Confirmed, Question},
        incident::Fault,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            choice,
            help::Help,
            launch::{self as words, Offer},
            message::Message,
            refusal::Refusal,
        },
        responder::{Answer, Stop},
        start::{self, NeedsRight, Requested},
        state::AppState,
    },
    inventory::{Droplet, Size, Snapshot, SshKey, Waiting},
    operation::{
        Operation, Target,
        announce::{Announce, Tell},
        effect::NewDroplet,
        ids::OperationId,
        kinds::{Kind, Launch, SnapshotRef},
    },
    store::Consent,
};

/// DigitalOcean's limit for a Droplet's name.
const LONGEST_NAME: usize = 255;
/// How many sizes a refusal suggests.
const SUGGESTIONS: usize = 3;

impl NeedsRight for Launch {
    const RIGHT: Right = HELP.right;
}

impl Confirmed for Launch {
    /// Checks the Snapshot again, so that the bot does not try one that is gone.
    async fn look_again(
        &self,
        (state, _): (&AppState, &InteractionInfo),
        _: (&Grant, &Consent),
        _: &Question,
    ) -> Result<Option<Message>, Stop> {
        let id = self.snapshot.id;
        let found = state.inventory.snapshot_now(id).await;
        found.map(|_| None).map_err(|gone| lookup::no_snapshot(&id.to_string(), None, gone).into())
    }

    /// Asks again with the keys and tags that were chosen. The tags are offered again, since the source may have others by now.
    async fn ask_again(
        &self,
        (state, info): (&AppState, &InteractionInfo),
        grant: &Grant,
        failed: &Operation,
    ) -> Result<Answer, Stop> {
        let droplet = &self.droplet;
        let typed = Typed {
            snapshot: self.snapshot.id.to_string(),
            name: droplet.name.clone(),
            region: Some(droplet.region.clone()),
            size: Some(droplet.size.clone()),
            ssh_keys: droplet.ssh_keys.clone(),
            tags: droplet.tags.iter().filter(|tag| !is_mark(tag)).cloned().collect(),
            retries: Some(failed.id),
            announce: failed.announced_again(),
        };
        question(state, info, grant, typed).await
    }
}

pub(in crate::discord) use ask::{give_keys, give_tags};

/// The typed options.
#[derive(Clone, Debug, Default)]
pub(in crate::discord) struct Typed {
    pub(in crate::discord) snapshot: String,
    pub(in crate::discord) name: String,
    pub(in crate::discord) region: Option<String>,
    pub(in crate::discord) size: Option<String>,
    pub(in crate::discord) ssh_keys: Vec<String>,
    /// Tags that the new Droplet gets in addition to the source's.
    pub(in crate::discord) tags: Vec<String>,
    /// The failed launch that this one retries.
    pub(in crate::discord) retries: Option<OperationId>,
    pub(in crate::discord) announce: Announce,
}

/// The command's help line, and the right that it needs.
pub(super) const HELP: Help = Help {
    name: "snapshot launch",
    right: Right::Restore,
    to: "launch Droplets",
    does: "creates a Droplet from a Snapshot; asks first",
};

/// Create a new Droplet from a Snapshot (costs money, asks first)
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
#[poise::command(slash_command)]
pub(super) async fn launch(
    context: Context<'_>,
    #[description = "The Snapshot; type a part of its name"]
    #[autocomplete = "snapshots"]
    snapshot: String,
    #[description = "The new Droplet's name: letters, digits, dots and dashes"]
    #[max_length = 255]
    name: String,
    #[description = "The region; that of the Snapshot's Droplet if left out"]
    #[autocomplete = "regions"]
    region: Option<String>,
    #[description = "The size; that of the Snapshot's Droplet if left out"]
    #[autocomplete = "sizes"]
    size: Option<String>,
    #[description = "An SSH key of the account to put on it; none if left out"]
    #[rename = "ssh-key"]
    #[autocomplete = "ssh_keys"]
    ssh_key: Option<String>,
    #[description = "How I tell you that it's done"] tell: Option<OneOf<Tell>>,
) -> Result<(), Fault> {
    let (ssh_keys, announce) = (ssh_key.into_iter().collect(), announce::told(tell));
    let typed = Typed { snapshot, name, region, size, ssh_keys, announce, ..Typed::default() };
    let state = context.framework.user_data;
    granted(context, HELP, |info, grant| Box::pin(async move { question(state, &info, &grant, typed).await })).await;
    Ok(())
}

/// Asks whether to create this Droplet, and states its price.
pub(in crate::discord) async fn question(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    typed: Typed,
) -> Result<Answer, Stop> {
    let name = typed.name.trim();
    if !is_host_name(name) {
        return Err(Refusal::BadDropletName.into());
    }
    start::check(state, info)?;
    let (snapshot, source) = find(state, &typed.snapshot).await?;
    let region = choose_region(typed.region.as_deref(), &snapshot, source.as_ref())?;
    let sizes =
        state.inventory.sizes(Waiting::Command).await.map_err(|failed| lookup::no_snapshot("", None, failed))?;
    let size = choose_size(typed.size.as_deref(), &sizes, &Room::of(&snapshot, &region), source.as_ref())?;
    let ssh_keys = find_keys(state, &typed.ssh_keys).await?;
    let own = state.wording.rules.droplet_tag.as_deref();
    let chosen = typed.tags.into_iter().filter(|tag| Some(tag.as_str()) != own);
    let droplet = NewDroplet {
        name: name.to_owned(),
        region: region.clone(),
        size: size.slug.clone(),
        image: snapshot.id,
        tags: own.map(str::to_owned).into_iter().chain(chosen).collect(),
        ssh_keys,
    };
    let target = Target { droplet: None, name: name.to_owned(), region: Some(region), disk_gb: Some(size.disk_gb) };
    let kind = Kind::Launch(Launch { snapshot: SnapshotRef { id: snapshot.id, name: snapshot.name.clone() }, droplet });
    let offer = Offer {
        tags: tags(source.as_ref(), own),
        source: source.map(|source| source.name),
        keys: ask::keys(state).await,
        size: words::parts(size),
        monthly: size.price_monthly,
    };
    let requested = Requested { kind, target, snapshot_name: None };
    let question =
        Question { offer: Some(offer), retries: typed.retries, announce: typed.announce, ..Question::new(requested) };
    ask::ask(state, grant, &question).await.map(Answer::New)
}

/// Reads the Snapshot again, and the Droplet that it was taken of if that still exists.
async fn find(state: &AppState, text: &str) -> Result<(Snapshot, Option<Droplet>), Stop> {
    let refused = |unresolved| lookup::no_snapshot(text, None, unresolved);
    let cached = state.inventory.resolve_snapshot(text).await.map_err(refused)?;
    let snapshot = state.inventory.snapshot_now(cached.id).await.map_err(refused)?;
    let source = match snapshot.droplet {
        Some(droplet) => state.inventory.droplet_now(droplet).await.map_err(refused)?,
        None => None,
    };
    Ok((snapshot, source))
}

/// What a size must offer.
#[derive(Clone, Debug)]
struct Room {
    region: Option<String>,
    disk_gb: u64,
}

impl Room {
    fn of(snapshot: &Snapshot, region: &str) -> Self {
        Self { region: Some(region.to_owned()), disk_gb: snapshot.min_disk_size.unwrap_or_default() }
    }

    fn fits(&self, size: &Size) -> bool {
        size.available && !is_gpu(&size.slug) && size.disk_gb >= self.disk_gb && self.is_there(size)
    }

    fn is_there(&self, size: &Size) -> bool {
        let has_it = |region| size.regions.as_ref().is_none_or(|regions| regions.contains(region));
        self.region.as_ref().is_none_or(has_it)
    }
}

/// Listing by tag omits GPU Droplets. If the answer to such a creation were lost, the bot could not find the Droplet and would create a
/// second one.
fn is_gpu(slug: &str) -> bool {
    slug.starts_with("gpu-")
}

fn choose_region(typed: Option<&str>, snapshot: &Snapshot, source: Option<&Droplet>) -> Result<String, Refusal> {
    let is_there = |region: &String| snapshot.regions.is_empty() || snapshot.regions.contains(region);
    if let Some(typed) = typed {
        let region = choice::key(typed).to_lowercase();
        return if is_there(&region) {
            Ok(region)
        } else {
            let regions = snapshot.regions.clone();
            Err(Refusal::NotInRegion { snapshot: snapshot.name.clone(), region, regions })
        };
    }
    let own = source.and_then(|source| source.region.clone()).filter(is_there);
    own.or_else(|| snapshot.regions.first().cloned())
        .ok_or_else(|| Refusal::NoRegion { snapshot: snapshot.name.clone() })
}

/// The typed size, else the source's, else the cheapest. `sizes` is sorted by price, cheapest first.
fn choose_size<'s>(
    typed: Option<&str>,
    sizes: &'s [Size],
    room: &Room,
    source: Option<&Droplet>,
) -> Result<&'s Size, Refusal> {
    let mut fitting = sizes.iter().filter(|size| room.fits(size));
    let suggestions =
        || sizes.iter().filter(|size| room.fits(size)).take(SUGGESTIONS).map(|size| size.slug.clone()).collect();
    let Some(typed) = typed else {
        let own = source.and_then(|source| source.size_slug.as_deref());
        let own = own.and_then(|slug| sizes.iter().find(|size| size.slug == slug)).filter(|size| room.fits(size));
        let needed = room.disk_gb;
        return own.or_else(|| fitting.next()).ok_or(Refusal::NoSize { needed });
    };
    let slug = choice::key(typed).to_lowercase();
    match sizes.iter().find(|size| size.slug == slug) {
        Some(size) if room.fits(size) => Ok(size),
        Some(_) | None if is_gpu(&slug) => Err(Refusal::GpuSize { size: slug, suggestions: suggestions() }),
        Some(size) if size.disk_gb < room.disk_gb => Err(Refusal::SizeTooSmall {
            size: size.slug.clone(),
            disk: size.disk_gb,
            needed: room.disk_gb,
            suggestions: suggestions(),
        }),
        Some(_) | None => Err(Refusal::UnknownSize { text: typed.to_owned(), suggestions: suggestions() }),
    }
}

/// The fingerprints of these keys.
async fn find_keys(state: &AppState, typed: &[String]) -> Result<Vec<String>, Stop> {
    if typed.is_empty() {
        return Ok(Vec::new());
    }
    let known = state.inventory.ssh_keys(Waiting::Command).await;
    let known = known.map_err(|failed| lookup::no_snapshot("", None, failed))?;
    Ok(typed.iter().map(|text| find_key(&known, text)).collect::<Result<_, _>>()?)
}

/// The key with this fingerprint, given alone or at the end of a choice's label, or the only key with this name.
fn find_key(keys: &[SshKey], text: &str) -> Result<String, Refusal> {
    let fingerprint = choice::key(text);
    if let Some(key) = keys.iter().find(|key| key.fingerprint == fingerprint) {
        return Ok(key.fingerprint.clone());
    }
    let named: Vec<&SshKey> = keys.iter().filter(|key| key.name == text).collect();
    match named.as_slice() {
        [only] => Ok(only.fingerprint.clone()),
        [] => Err(Refusal::UnknownSshKey { text: text.to_owned() }),
        several => Err(Refusal::AmbiguousSshKey {
            text: text.to_owned(),
            labels: several.iter().map(|key| words::ssh_key(key)).collect(),
        }),
    }
}

/// The source's tags without those that mark the operation that created it, and without the configured tag, which the new Droplet gets
/// anyway.
fn tags(source: Option<&Droplet>, own: Option<&str>) -> Vec<String> {
    let known = source.and_then(|source| source.tags.as_deref()).unwrap_or_default();
    known.iter().filter(|tag| !is_mark(tag) && Some(tag.as_str()) != own).cloned().collect()
}

/// Whether a tag marks the operation that created its Droplet.
fn is_mark(tag: &str) -> bool {
    tag.strip_prefix("snapshot-bot-").is_some_and(|id| id.parse::<OperationId>().is_ok())
}

/// Matches `^[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]$` with at most 255 characters, as DigitalOcean's specification says. That pattern
/// allows a leading dot or dash, which is not a valid host name.
fn is_host_name(name: &str) -> bool {
    let alphanumeric = |letter: char| letter.is_ascii_alphanumeric();
    name.len() <= LONGEST_NAME
        && name.starts_with(alphanumeric)
        && name.ends_with(alphanumeric)
        && name.chars().all(|letter| alphanumeric(letter) || matches!(letter, '.' | '-'))
}

/// The Snapshot that was chosen in the same command, if it is known already, and its Droplet.
async fn chosen(context: Context<'_>) -> Option<(Snapshot, Option<Droplet>)> {
    let text = sibling(context, "snapshot")?;
    context.framework.user_data.inventory.peek_snapshot(&text).await
}

/// The regions that hold the Snapshot.
async fn regions<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let (state, nothing) = (context.framework.user_data, CreateAutocompleteResponse::new());
    if let Some(refused) = super::refused(context) {
        return refused;
    }
    let Some((snapshot, _)) = chosen(context).await else { return nothing };
    let known = state.inventory.regions(Waiting::Suggestion).await.unwrap_or_default();
    let labelled = snapshot.regions.iter().map(|slug| {
        let name = known.iter().find(|region| region.slug == *slug).map(|region| region.name.as_str());
        (words::region(slug, name), slug.clone())
    });
    nothing.set_choices(offered(labelled, partial))
}

/// The sizes that are large enough and available there, cheapest first.
async fn sizes<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let (state, nothing) = (context.framework.user_data, CreateAutocompleteResponse::new());
    if let Some(refused) = super::refused(context) {
        return refused;
    }
    let (sizes, chosen) = tokio::join!(state.inventory.sizes(Waiting::Suggestion), chosen(context));
    let Ok(sizes) = sizes else { return nothing };
    let room = offered_room(sibling(context, "region").as_deref(), chosen.as_ref());
    let fitting = sizes.iter().filter(|size| room.fits(size)).map(|size| (words::size(size), size.slug.clone()));
    nothing.set_choices(offered(fitting, partial))
}

/// What an offered size must have: in the typed region, else in the region where the launch would take place.
fn offered_room(typed: Option<&str>, chosen: Option<&(Snapshot, Option<Droplet>)>) -> Room {
    let typed = typed.map(|region| choice::key(region).to_lowercase()).filter(|region| !region.is_empty());
    let usual = || chosen.and_then(|(snapshot, source)| choose_region(None, snapshot, source.as_ref()).ok());
    let disk_gb = chosen.and_then(|(snapshot, _)| snapshot.min_disk_size).unwrap_or_default();
    Room { region: typed.or_else(usual), disk_gb }
}

async fn ssh_keys<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let (state, nothing) = (context.framework.user_data, CreateAutocompleteResponse::new());
    if let Some(refused) = super::refused(context) {
        return refused;
    }
    let Ok(keys) = state.inventory.ssh_keys(Waiting::Suggestion).await else { return nothing };
    let labelled = keys.iter().map(|key| (words::ssh_key(key), key.fingerprint.clone()));
    nothing.set_choices(offered(labelled, partial))
}

/// The choices that contain the typed text.
fn offered(labelled: impl Iterator<Item = (String, String)>, partial: &str) -> Vec<AutocompleteChoice> {
    let requested = partial.trim().to_lowercase();
    labelled
        .filter(|(label, _)| label.to_lowercase().contains(&requested))
        .take(CHOICES)
        .map(|(label, value)| AutocompleteChoice::new(label, value))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn size(slug: &str, disk_gb: u64, price_monthly: f64) -> Size {
        let regions = Some(vec!["nyc3".to_owned()]);
        Size { slug: slug.to_owned(), disk_gb, memory_mb: 1024, vcpus: 1, price_monthly, regions, available: true }
    }

    fn source(size: &str, region: &str, tags: &[&str]) -> Droplet {
        let droplet = json!({
            "id": 1, "name": "web-1", "status": "active", "size_slug": size, "region": {"slug": region}, "tags": tags,
        });
        serde_json::from_value(droplet).unwrap()
    }

    fn snapshot(regions: &[&str]) -> Snapshot {
        serde_json::from_value(json!({"id": "5", "name": "golden", "regions": regions, "min_disk_size": 25})).unwrap()
    }

    #[test]
    fn a_key_is_found_by_its_fingerprint_and_a_name_of_several_is_refused() {
        let key = |name: &str, fingerprint: &str| SshKey { name: name.to_owned(), fingerprint: fingerprint.to_owned() };
        let keys = [key("laptop", "aa:01"), key("laptop", "bb:02"), key("phone · work", "cc:03")];
        for (text, found) in [("bb:02", "bb:02"), ("phone · work", "cc:03"), (&words::ssh_key(&keys[1]), "bb:02")] {
            assert_eq!(find_key(&keys, text).as_deref(), Ok(found), "{text}");
        }
        let labels = vec![words::ssh_key(&keys[0]), words::ssh_key(&keys[1])];
        assert_eq!(find_key(&keys, "laptop"), Err(Refusal::AmbiguousSshKey { text: "laptop".to_owned(), labels }));
        assert!(matches!(find_key(&keys, "tablet"), Err(Refusal::UnknownSshKey { .. })));
    }

    #[test]
    fn only_host_names_are_names() {
        for good in ["web-2", "a", "db.example.com", "WEB2"] {
            assert!(is_host_name(good), "{good}");
        }
        for bad in ["", "web 2", "-web", "web-", "web_2", "wéb", "a/b", &"a".repeat(256)] {
            assert!(!is_host_name(bad), "{bad}");
        }
    }

    #[test]
    fn the_size_is_the_sources_or_else_the_cheapest_that_fits() {
        let sizes = [size("tiny", 10, 4.0), size("small", 25, 6.0), size("large", 80, 24.0)];
        let room = Room::of(&snapshot(&["nyc3"]), "nyc3");
        let chosen =
            |typed, source: Option<&Droplet>| choose_size(typed, &sizes, &room, source).map(|size| size.slug.clone());
        assert_eq!(chosen(None, None).unwrap(), "small");
        assert_eq!(chosen(None, Some(&source("large", "nyc3", &[]))).unwrap(), "large");
        assert_eq!(chosen(None, Some(&source("tiny", "nyc3", &[]))).unwrap(), "small");
        assert_eq!(chosen(Some(" LARGE "), None).unwrap(), "large");
        let suggestions = vec!["small".to_owned(), "large".to_owned()];
        let too_small = Refusal::SizeTooSmall { size: "tiny".into(), disk: 10, needed: 25, suggestions };
        assert_eq!(chosen(Some("tiny"), None), Err(too_small));
        assert!(matches!(chosen(Some("huge"), None), Err(Refusal::UnknownSize { .. })));
        let elsewhere = Room::of(&snapshot(&["fra1"]), "fra1");
        assert!(matches!(choose_size(None, &sizes, &elsewhere, None), Err(Refusal::NoSize { needed: 25 })));
    }

    #[test]
    fn no_size_with_a_gpu_is_chosen_or_taken() {
        let sizes = [size("gpu-h100x1-80gb", 80, 1.0), size("large", 80, 24.0)];
        let room = Room::of(&snapshot(&["nyc3"]), "nyc3");
        assert_eq!(choose_size(None, &sizes, &room, None).unwrap().slug, "large");
        let own = source("gpu-h100x1-80gb", "nyc3", &[]);
        assert_eq!(choose_size(None, &sizes, &room, Some(&own)).unwrap().slug, "large");
        for typed in ["gpu-h100x1-80gb", " GPU-of-tomorrow"] {
            let refusal = choose_size(Some(typed), &sizes, &room, None);
            assert!(
                matches!(&refusal, Err(Refusal::GpuSize { suggestions, .. }) if *suggestions == ["large"]),
                "{refusal:?}"
            );
        }
    }

    #[test]
    fn sizes_are_offered_for_the_region_where_the_launch_would_take_place() {
        let chosen = |regions, of| Some((snapshot(regions), of));
        let region = |typed, chosen: Option<(Snapshot, Option<Droplet>)>| offered_room(typed, chosen.as_ref()).region;
        let own = source("s", "nyc3", &[]);
        assert_eq!(region(None, chosen(&["ams3", "nyc3"], Some(own.clone()))).as_deref(), Some("nyc3"));
        assert_eq!(region(None, chosen(&["ams3", "nyc3"], None)).as_deref(), Some("ams3"));
        assert_eq!(region(Some(""), chosen(&["ams3"], None)).as_deref(), Some("ams3"));
        assert_eq!(region(Some(" FRA1 "), chosen(&["ams3"], Some(own))).as_deref(), Some("fra1"));
        assert_eq!(region(None, None), None, "no Snapshot is chosen yet");
        assert_eq!(offered_room(None, chosen(&["ams3"], None).as_ref()).disk_gb, 25);
    }

    #[test]
    fn the_region_is_the_sources_where_the_snapshot_is_there() {
        let here = snapshot(&["ams3", "nyc3"]);
        assert_eq!(choose_region(None, &here, Some(&source("s", "nyc3", &[]))).unwrap(), "nyc3");
        assert_eq!(choose_region(None, &here, Some(&source("s", "sfo3", &[]))).unwrap(), "ams3");
        assert_eq!(choose_region(Some("NYC3"), &here, None).unwrap(), "nyc3");
        assert!(matches!(choose_region(Some("fra1"), &here, None), Err(Refusal::NotInRegion { .. })));
        assert!(matches!(choose_region(None, &snapshot(&[]), None), Err(Refusal::NoRegion { .. })));
    }

    #[test]
    fn tags_are_offered_but_not_the_marks_of_operations() {
        let source = source("s", "nyc3", &["prod", "snapshot-bot-7f3kq2xa", "snapshot-bot-fans"]);
        assert_eq!(tags(Some(&source), Some("managed")), ["prod", "snapshot-bot-fans"]);
        assert_eq!(tags(Some(&source), Some("prod")), ["snapshot-bot-fans"]);
        assert!(tags(None, None).is_empty());
    }
}
