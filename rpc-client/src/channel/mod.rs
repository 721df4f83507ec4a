//! The calls to one address.

mod backoff;
mod dial;

use std::{sync::Arc, time::Duration};

use doge_rpc_core::{
    Code, Deadline, Status,
    call::{Request, Response},
    connection::Limits,
    transport::Address,
};

pub use self::backoff::Backoff;
use self::dial::Dial;

/// The calls to one address, over one multiplexed connection. Cheap to clone; all clones share the connection.
///
/// It connects with the first call, and again when the connection is lost, with a growing and jittered pause
/// between failures. A call that provably never left is sent again over the next connection.
///
/// ```no_run
/// use doge_rpc_client::Channel;
///
/// let channel = Channel::new("tcp://127.0.0.1:4399".parse()?);
/// # Ok::<(), doge_rpc_core::transport::AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Channel {
    dial: Arc<Dial>,
}

/// How a channel connects.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_client::{Backoff, Channel, ChannelConfig};
///
/// let config = ChannelConfig {
///     connect_timeout: Duration::from_millis(200),
///     backoff: Backoff { longest: Duration::from_secs(5), ..Backoff::default() },
///     ..ChannelConfig::default()
/// };
/// let channel = Channel::with_config("tcp://127.0.0.1:4399".parse()?, config);
/// assert!(!channel.is_down());
/// # Ok::<(), doge_rpc_core::transport::AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChannelConfig {
    /// What a connection may cost, and when it counts as dead.
    pub limits: Limits,
    /// How long an attempt to connect may take, up to the server's hello. 1 s.
    pub connect_timeout: Duration,
    /// Pauses between failed attempts to connect.
    pub backoff: Backoff,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            connect_timeout: Duration::from_secs(1),
            backoff: Backoff::default(),
        }
    }
}

/// How often a call that never ran is sent again over a fresh connection before that is reported. It bounds what a
/// server that accepts and hangs up at once can cost.
const MAX_RESENDS: usize = 3;

impl Channel {
    /// A channel to this address, as the defaults have it. Nothing is connected yet.
    pub fn new(address: Address) -> Self {
        Self::with_config(address, ChannelConfig::default())
    }

    /// A channel to this address. Nothing is connected yet.
    pub fn with_config(address: Address, config: ChannelConfig) -> Self {
        Self {
            dial: Arc::new(Dial::new(address, config)),
        }
    }

    /// Where its calls go.
    pub fn address(&self) -> &Address {
        self.dial.address()
    }

    /// Makes one call. Dropping the future tells the server to stop.
    ///
    /// Without a connection, the call waits for the attempt under way. If the last attempt failed and the next is
    /// not due, it fails at once, or, with `wait_for_ready`, waits on until its deadline.
    ///
    /// # Errors
    ///
    /// The status of the call; [`Status::never_ran`] tells whether it can have reached the handler.
    pub async fn call(&self, request: &Request, wait_for_ready: bool) -> Result<Response, Status> {
        self.call_patiently(Patience::Whole, request, wait_for_ready)
            .await
    }

    /// The same, with so much patience for a connection.
    pub(crate) async fn call_patiently(
        &self,
        patience: Patience,
        request: &Request,
        wait_for_ready: bool,
    ) -> Result<Response, Status> {
        let mut resends = 0;
        loop {
            let connection = match self.dial.current() {
                Some(connection) => connection,
                None => {
                    let until = patience.until(request.deadline());
                    self.dial.connect(until, wait_for_ready).await?
                }
            };
            match connection.call(request).await {
                // Refused over a connection that goes on, it would be refused again.
                Err(status)
                    if may_resend(&status) && connection.is_closing() && resends < MAX_RESENDS =>
                {
                    resends += 1;
                    self.dial.discard(&connection);
                }
                answer => return answer,
            }
        }
    }

    /// Whether the last attempt to connect failed and none has succeeded since.
    pub fn is_down(&self) -> bool {
        self.dial.is_down()
    }

    /// The same; if it is down and the next attempt to connect is due, that is made, without anybody waiting for it.
    pub(crate) fn is_down_and_probed(&self) -> bool {
        let down = self.is_down();
        if down {
            self.dial.probe();
        }
        down
    }

    /// Connects, unless it is connected. Cancel safe.
    ///
    /// # Errors
    ///
    /// `Unavailable` with the reason, or `DeadlineExceeded` when it takes longer than the connect timeout.
    pub async fn ready(&self) -> Result<(), Status> {
        if self.dial.current().is_none() {
            let deadline = Deadline::after(self.dial.connect_timeout());
            self.dial.connect(deadline, false).await?;
        }
        Ok(())
    }
}

/// How much of its time a call waits for a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// All of it.
    Whole,
    /// Half of what is left, so that something is left for elsewhere.
    Half,
}

impl Patience {
    fn until(self, deadline: Deadline) -> Deadline {
        match self {
            Self::Whole => deadline,
            Self::Half => Deadline::after(deadline.remaining() / 2),
        }
    }
}

fn may_resend(status: &Status) -> bool {
    status.never_ran() && status.code() == Code::Unavailable
}
