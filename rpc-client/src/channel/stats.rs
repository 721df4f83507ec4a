use std::time::Duration;

use doge_rpc_core::observe::LatencyHistogram;

use super::ConnectorStats;
use crate::watch::{EndedCalls, Tally};

/// What a channel has done since it was made, and how it is connected. Calls are those that were made over the channel
/// itself, or a [`Client`](crate::Client) of it; the calls of a cluster are in [`ClusterStats`](crate::ClusterStats).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChannelStats {
    /// Whether there is a connection.
    pub connected: bool,
    /// Why there is no connection: what the last attempt to connect failed with, or else why the last connection was closed.
    /// `None` while there is a connection, and before the first attempt.
    pub why_not_connected: Option<String>,
    /// In what time the next attempt to connect is due, where one has failed; zero when it is due now. A channel that no
    /// cluster holds connects with the next call.
    pub next_connect_in: Option<Duration>,
    /// Connections that were opened so far, whoever called over them.
    pub connections: u64,
    /// Calls made.
    pub calls: u64,
    /// Calls that are over, by the code that the caller saw. A call that the caller dropped is `Cancelled`.
    pub ended: EndedCalls,
    /// How long calls took; only of a channel that [takes times](crate::ChannelConfig::timed).
    pub latencies: Option<LatencyHistogram>,
}

impl ChannelStats {
    pub(super) fn of(connector: ConnectorStats, calls: &Tally) -> Self {
        // Ends before starts, so that no more calls seem to have ended than have begun.
        let ended = calls.ended();
        Self {
            connected: connector.connected,
            why_not_connected: connector.why_not,
            next_connect_in: connector.next_in,
            connections: connector.connections,
            calls: calls.started(),
            ended,
            latencies: calls.latencies(),
        }
    }
}
