//! Actions: lists, single Actions, and the POSTs that start them.

use serde_json::{Map, Value, json};

use super::{Call, Outcome, Reply};
use crate::digitalocean::{
    action::{Action, ActionKind},
    backups::BackupPolicy,
    refusal::Refusal,
    world::World,
};

/// The Actions that `POST /v2/droplets/actions?tag_name=` accepts.
const BY_TAG: &[&str] = &[
    "power_cycle",
    "power_on",
    "power_off",
    "shutdown",
    "enable_ipv6",
    "enable_backups",
    "disable_backups",
    "snapshot",
];

impl World {
    /// Newest first; the specification promises no order.
    pub(super) fn list_actions(&self, call: &Call<'_>) -> Outcome {
        call.need("actions:read")?;
        self.listing(call, "actions", self.actions.values().rev(), Action::render)
    }

    pub(super) fn get_action(&self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("actions:read")?;
        let action = self.actions.get(&id).ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(&json!({"action": action.render()})))
    }

    pub(super) fn list_droplet_actions(&self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("droplet:read")?;
        let actions = self.find_droplet(id)?.actions.iter().rev().filter_map(|id| self.actions.get(id));
        self.listing(call, "actions", actions, Action::render)
    }

    pub(super) fn get_droplet_action(&self, call: &Call<'_>, droplet: u64, id: u64) -> Outcome {
        call.need("droplet:read")?;
        self.find_droplet(droplet)?;
        let action = self.actions.get(&id).filter(|action| action.droplet == droplet).ok_or_else(Refusal::not_found)?;
        let mut action = action.render();
        if self.settings.forgetful_droplet_actions {
            action["completed_at"] = Value::Null;
        }
        Ok(Reply::ok(&json!({ "action": action })))
    }

    pub(super) fn begin_action(&mut self, call: Call<'_>, droplet: u64) -> Outcome {
        call.need("droplet:update")?;
        let body = call.body()?;
        for scope in further_scopes(kind_name(&body)?) {
            call.need(scope)?;
        }
        let name = &self.find_droplet(droplet)?.name;
        let kind = self.read_kind(&body, name)?;
        let id = self.begin(droplet, kind, call.quirk)?;
        Ok(Reply::created(&json!({"action": self.actions.get(&id).map(Action::render)})))
    }

    /// All or nothing: one blocked Droplet makes the API refuse the Action for the whole tag.
    pub(super) fn begin_by_tag(&mut self, call: &Call<'_>) -> Outcome {
        call.need("droplet:update")?;
        let tag = call.request.parameter("tag_name").ok_or_else(|| Refusal::malformed("tag_name is missing"))?;
        let body = call.body()?;
        let name = kind_name(&body)?;
        if !BY_TAG.contains(&name) {
            return Err(Refusal::malformed(format!("{name} can not be performed by tag")));
        }
        for scope in further_scopes(name) {
            call.need(scope)?;
        }
        let mut begun = Vec::new();
        for droplet in self.droplets.values().filter(|droplet| droplet.tags.contains(tag)) {
            let kind = self.read_kind(&body, &droplet.name)?;
            if droplet.pending.is_some() {
                let blocked = "there are currently blocking events processing for one or more of these Droplets";
                return Err(Refusal::unprocessable(blocked));
            }
            self.allow(droplet, &kind)?;
            begun.push((droplet.id, kind));
        }
        let ids: Vec<u64> =
            begun.into_iter().map(|(droplet, kind)| self.start(droplet, kind, call.quirk.clone())).collect();
        let actions: Vec<Value> = ids.iter().filter_map(|id| self.actions.get(id)).map(Action::render).collect();
        Ok(Reply::created(&json!({ "actions": actions })))
    }

    /// Parses the Action to start; a snapshot without a name is named after the Droplet and the current time.
    fn read_kind(&self, body: &Map<String, Value>, droplet: &str) -> Result<ActionKind, Refusal> {
        let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let missing = |key: &str| Refusal::malformed(format!("{key} is missing or of the wrong type"));
        let image = || body.get("image").and_then(|image| self.find_image(image)).map(|image| image.id);
        Ok(match kind_name(body)? {
            "shutdown" => ActionKind::Shutdown,
            "power_off" => ActionKind::PowerOff,
            "power_on" => ActionKind::PowerOn,
            "power_cycle" => ActionKind::PowerCycle,
            "reboot" => ActionKind::Reboot,
            "snapshot" => match body.get("name") {
                None | Some(Value::Null) => ActionKind::Snapshot(format!("{droplet}-{}", self.now.as_millisecond())),
                Some(_) => ActionKind::Snapshot(text("name").ok_or_else(|| missing("name"))?.to_owned()),
            },
            "restore" => {
                ActionKind::Restore(body.get("image").and_then(Value::as_u64).ok_or_else(|| missing("image"))?)
            }
            "rebuild" => ActionKind::Rebuild(image().ok_or_else(|| missing("image"))?),
            "rename" => ActionKind::Rename(text("name").ok_or_else(|| missing("name"))?.to_owned()),
            "resize" => ActionKind::Resize(text("size").ok_or_else(|| missing("size"))?.to_owned()),
            "enable_backups" => ActionKind::EnableBackups(BackupPolicy::read(body)?.unwrap_or(BackupPolicy::DAILY)),
            "disable_backups" => ActionKind::DisableBackups,
            "change_backup_policy" => {
                ActionKind::ChangeBackupPolicy(BackupPolicy::read(body)?.ok_or_else(|| missing("backup_policy"))?)
            }
            "password_reset" => ActionKind::PasswordReset,
            "enable_ipv6" => ActionKind::EnableIpv6,
            other => return Err(Refusal::malformed(format!("{other} is not a valid Action type"))),
        })
    }
}

fn kind_name(body: &Map<String, Value>) -> Result<&str, Refusal> {
    body.get("type").and_then(Value::as_str).ok_or_else(|| Refusal::malformed("type is missing"))
}

/// The scopes that an Action needs in addition to `droplet:update`.
fn further_scopes(kind: &str) -> &'static [&'static str] {
    match kind {
        "snapshot" => &["image:create"],
        "restore" | "rebuild" | "password_reset" => &["droplet:admin"],
        "resize" => &["droplet:create"],
        _ => &[],
    }
}
