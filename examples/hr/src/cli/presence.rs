use std::{sync::Arc, time::Duration};

use clap::Args;
use doge_rpc::{
    registry::{File, Registry},
    server::Advertise,
};

use super::{
    Failure,
    place::{DEFAULT_GROUP, shared_registry},
};
use crate::calling::Calling;

/// How others find what a process serves.
#[derive(Args, Debug)]
pub(super) struct Presence {
    /// Where others find it, for example file:hr-registry
    #[arg(long, value_name = "URL")]
    registry: String,
    /// Where others connect to, when that is not where this listens
    #[arg(long, value_name = "ADDRESS")]
    advertise: Option<String>,
    /// Be of this group, which calls its own members and is called by them only
    #[arg(long, value_name = "NAME", default_value = DEFAULT_GROUP)]
    group: String,
    /// Where this runs: those of one zone call each other first
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
    /// The share of calls, relative to the other instances
    #[arg(long, value_name = "N", default_value_t = 100)]
    weight: u32,
    /// How long a file: registry lists this process after it was last heard of
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=3600))]
    ttl: Option<u16>,
}

impl Presence {
    pub(super) fn registry(&self) -> Result<Arc<dyn Registry>, Failure> {
        let Some(seconds) = self.ttl else {
            return shared_registry(&self.registry);
        };
        // Opened for what it checks.
        shared_registry(&self.registry)?;
        let Some(folder) = self.registry.strip_prefix("file:") else {
            return Err(Failure::Ttl);
        };
        let registry = File::builder(folder).ttl(Duration::from_secs(seconds.into()));
        Ok(Arc::new(registry.build()))
    }

    pub(super) fn advertise(&self) -> Result<Advertise, Failure> {
        let mut advertise = Advertise::new().group(&self.group).weight(self.weight);
        if let Some(zone) = &self.zone {
            advertise = advertise.zone(zone);
        }
        Ok(match &self.advertise {
            Some(address) => advertise.address(address).map_err(Failure::Advertise)?,
            None => advertise,
        })
    }

    /// How this process calls those that it needs.
    pub(super) fn calling(&self, registry: &Arc<dyn Registry>) -> Calling {
        Calling::new(registry, &self.group).in_zone(self.zone.clone())
    }
}
