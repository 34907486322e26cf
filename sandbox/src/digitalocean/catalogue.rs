//! Regions and sizes: a selection of the real ones, with their real slugs, disks and prices.
//!
//! They never change, so they are constants and not part of the world's state.

use std::sync::LazyLock;

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// A place where Droplets run.
#[derive(Debug, PartialEq)]
pub struct Region {
    /// Such as `nyc3`.
    pub slug: &'static str,
    /// Such as `New York 3`.
    pub name: &'static str,
}

/// The resources and price of a Droplet.
#[derive(Debug, PartialEq)]
pub struct Size {
    /// Such as `s-1vcpu-1gb`.
    pub slug: &'static str,
    /// Memory in MB.
    pub memory: u64,
    /// Virtual processors.
    pub vcpus: u64,
    /// Disk in GB.
    pub disk: u64,
    /// Transfer in TB a month.
    pub transfer: f64,
    /// Price in dollars a month.
    pub price_monthly: f64,
}

const fn region(slug: &'static str, name: &'static str) -> Region {
    Region { slug, name }
}

/// Every region; all of them offer every size.
pub const REGIONS: &[Region] = &[
    region("ams3", "Amsterdam 3"),
    region("blr1", "Bangalore 1"),
    region("fra1", "Frankfurt 1"),
    region("lon1", "London 1"),
    region("nyc1", "New York 1"),
    region("nyc3", "New York 3"),
    region("sfo3", "San Francisco 3"),
    region("sgp1", "Singapore 1"),
    region("syd1", "Sydney 1"),
    region("tor1", "Toronto 1"),
];

const fn size(slug: &'static str, memory: u64, vcpus: u64, disk: u64, prices: (f64, f64)) -> Size {
    Size { slug, memory, vcpus, disk, transfer: prices.0, price_monthly: prices.1 }
}

/// Every size.
pub const SIZES: &[Size] = &[
    size("s-1vcpu-512mb-10gb", 512, 1, 10, (0.5, 4.0)),
    size("s-1vcpu-1gb", 1_024, 1, 25, (1.0, 6.0)),
    size("s-1vcpu-2gb", 2_048, 1, 50, (2.0, 12.0)),
    size("s-2vcpu-2gb", 2_048, 2, 60, (3.0, 18.0)),
    size("s-2vcpu-4gb", 4_096, 2, 80, (4.0, 24.0)),
    size("s-4vcpu-8gb", 8_192, 4, 160, (5.0, 48.0)),
    size("s-8vcpu-16gb", 16_384, 8, 320, (6.0, 96.0)),
];

/// The region with this slug.
pub fn find_region(slug: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.slug == slug)
}

/// The size with this slug.
pub fn find_size(slug: &str) -> Option<&'static Size> {
    SIZES.iter().find(|size| size.slug == slug)
}

/// The size of a disk, as the API renders it.
#[derive(Debug, Serialize)]
pub(super) struct DiskInfo {
    #[serde(rename = "type")]
    kind: &'static str,
    size: DiskSize,
}

#[derive(Debug, Serialize)]
struct DiskSize {
    amount: u64,
    unit: &'static str,
}

impl DiskInfo {
    pub(super) fn local(amount: u64) -> [Self; 1] {
        [Self { kind: "local", size: DiskSize { amount, unit: "gib" } }]
    }
}

static REGION_SLUGS: LazyLock<Vec<&str>> = LazyLock::new(|| REGIONS.iter().map(|region| region.slug).collect());
static SIZE_SLUGS: LazyLock<Vec<&str>> = LazyLock::new(|| SIZES.iter().map(|size| size.slug).collect());

// Both occur in every Droplet of every list, so they are serialized directly into the answer.

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let features = ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"];
        let mut region = serializer.serialize_struct("Region", 5)?;
        region.serialize_field("name", self.name)?;
        region.serialize_field("slug", self.slug)?;
        region.serialize_field("features", &features)?;
        region.serialize_field("available", &true)?;
        region.serialize_field("sizes", &*SIZE_SLUGS)?;
        region.end()
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut size = serializer.serialize_struct("Size", 11)?;
        size.serialize_field("slug", self.slug)?;
        size.serialize_field("memory", &self.memory)?;
        size.serialize_field("vcpus", &self.vcpus)?;
        size.serialize_field("disk", &self.disk)?;
        size.serialize_field("transfer", &self.transfer)?;
        size.serialize_field("price_monthly", &self.price_monthly)?;
        size.serialize_field("price_hourly", &(self.price_monthly / 672.0))?;
        size.serialize_field("regions", &*REGION_SLUGS)?;
        size.serialize_field("available", &true)?;
        size.serialize_field("description", "Basic")?;
        size.serialize_field("disk_info", &DiskInfo::local(self.disk))?;
        size.end()
    }
}
