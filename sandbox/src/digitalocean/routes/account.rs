//! The account, its SSH keys, Volumes and reserved addresses, and the sizes that each region offers.

use serde_json::{Value, json};

use super::{Call, Outcome, Reply};
use crate::digitalocean::{
    catalogue::{REGIONS, SIZES},
    refusal::Refusal,
    reserved_ip::ReservedIp,
    world::{SshKey, World},
};

impl World {
    pub(super) fn get_account(&self, call: &Call<'_>) -> Outcome {
        call.need("account:read")?;
        let mut account = json!({
            "email": "operators@example.com",
            "name": "Sandbox",
            "uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
            "email_verified": true,
            "status": "active",
            "status_message": "",
            // Worlds with different first numbers are accounts of different teams.
            "team": {"uuid": format!("{:040x}", self.settings.first_id), "name": "Sandbox"},
        });
        if call.scopes.allow("droplet:read") {
            account["droplet_limit"] = json!(1_000);
        }
        if call.scopes.allow("reserved_ip:read") {
            account["floating_ip_limit"] = json!(3);
        }
        Ok(Reply::ok(&json!({ "account": account })))
    }

    pub(super) fn list_keys(&self, call: &Call<'_>) -> Outcome {
        call.need("ssh_key:read")?;
        self.listing(call, "ssh_keys", self.ssh_keys.iter(), SshKey::render)
    }

    pub(super) fn get_key(&self, call: &Call<'_>, wanted: &str) -> Outcome {
        call.need("ssh_key:read")?;
        let key = self.ssh_keys.iter().find(|key| key.answers_to(wanted)).ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(&json!({"ssh_key": key.render()})))
    }

    pub(super) fn list_regions(&self, call: &Call<'_>) -> Outcome {
        call.need("regions:read")?;
        self.listing(call, "regions", REGIONS.iter(), |region| region)
    }

    /// The specification names both scopes.
    pub(super) fn list_sizes(&self, call: &Call<'_>) -> Outcome {
        call.need("sizes:read")?;
        call.need("regions:read")?;
        self.listing(call, "sizes", SIZES.iter(), |size| size)
    }

    pub(super) fn list_volumes(&self, call: &Call<'_>) -> Outcome {
        call.need("block_storage:read")?;
        let (name, region) = (call.request.parameter("name"), call.request.parameter("region"));
        let wanted = self.volumes.iter().filter(|volume| {
            name.is_none_or(|name| name == volume.name) && region.is_none_or(|region| region == volume.region)
        });
        self.listing(call, "volumes", wanted, |volume| volume.render(&call.scopes))
    }

    pub(super) fn list_reserved_ips(&self, call: &Call<'_>) -> Outcome {
        call.need("reserved_ip:read")?;
        self.listing(call, "reserved_ips", self.reserved_ips.iter(), ReservedIp::render)
    }

    pub(super) fn get_volume(&self, call: &Call<'_>, id: &str) -> Outcome {
        call.need("block_storage:read")?;
        let volume = self.volumes.iter().find(|volume| volume.id == id).ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(&json!({"volume": volume.render(&call.scopes)})))
    }
}

impl SshKey {
    fn fingerprint(&self) -> String {
        let bytes = u128::from(self.id).to_be_bytes();
        bytes.map(|byte| format!("{byte:02x}")).join(":")
    }

    /// Keys are identified by their number or fingerprint.
    pub(super) fn answers_to(&self, wanted: &str) -> bool {
        wanted == self.id.to_string() || wanted == self.fingerprint()
    }

    fn render(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "fingerprint": self.fingerprint(),
            "public_key": format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{:032x} {}", self.id, self.name),
        })
    }
}
