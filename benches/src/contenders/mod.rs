//! What is measured.

mod doge;
mod echo;
mod echo_msgpack;
#[cfg(feature = "peers")]
mod peers;

use std::{fmt, net::SocketAddr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

#[cfg(feature = "peers")]
pub use self::peers::{Capnp, Jsonrpsee, TarpcBincode, TarpcMsgpack, Tonic, Volo};
pub use self::{
    doge::{Doge, DogeCluster},
    echo::Echo,
    echo_msgpack::EchoMsgpack,
};
use crate::{
    Contender, Error, Handler,
    costs::Held,
    load::{Latencies, Load},
};

/// A contender by name. To add one, write its file and name it here and in `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Entry {
    /// [`Doge`].
    #[value(name = "doge-rpc")]
    Doge,
    /// [`DogeCluster`].
    #[value(name = "doge-rpc cluster")]
    DogeCluster,
    /// [`TarpcMsgpack`].
    #[cfg(feature = "peers")]
    #[value(name = "tarpc msgpack")]
    TarpcMsgpack,
    /// [`TarpcBincode`].
    #[cfg(feature = "peers")]
    #[value(name = "tarpc bincode")]
    TarpcBincode,
    /// [`Tonic`].
    #[cfg(feature = "peers")]
    #[value(name = "tonic")]
    Tonic,
    /// [`Volo`].
    #[cfg(feature = "peers")]
    #[value(name = "volo")]
    Volo,
    /// [`Capnp`].
    #[cfg(feature = "peers")]
    #[value(name = "capnp-rpc")]
    Capnp,
    /// [`Jsonrpsee`].
    #[cfg(feature = "peers")]
    #[value(name = "jsonrpsee")]
    Jsonrpsee,
    /// [`EchoMsgpack`].
    #[value(name = "echo+msgpack")]
    EchoMsgpack,
    /// [`Echo`].
    #[value(name = "echo")]
    Echo,
}

/// What can be done with a contender, whichever it is.
struct Contestant {
    serve: fn(oneshot::Sender<SocketAddr>, Vec<SocketAddr>) -> Result<(), Error>,
    load: fn(SocketAddr, Load) -> Result<Latencies, Error>,
    hold: fn(SocketAddr, Held) -> Result<(), Error>,
    packages: &'static [&'static str],
    handles: bool,
}

impl Entry {
    fn of(self) -> Contestant {
        match self {
            Self::Doge => Contestant::new::<Doge>(),
            Self::DogeCluster => Contestant::new::<DogeCluster>(),
            #[cfg(feature = "peers")]
            Self::TarpcMsgpack => Contestant::new::<TarpcMsgpack>(),
            #[cfg(feature = "peers")]
            Self::TarpcBincode => Contestant::new::<TarpcBincode>(),
            #[cfg(feature = "peers")]
            Self::Tonic => Contestant::new::<Tonic>(),
            #[cfg(feature = "peers")]
            Self::Volo => Contestant::new::<Volo>(),
            #[cfg(feature = "peers")]
            Self::Capnp => Contestant::new::<Capnp>(),
            #[cfg(feature = "peers")]
            Self::Jsonrpsee => Contestant::new::<Jsonrpsee>(),
            Self::EchoMsgpack => Contestant::new::<EchoMsgpack>(),
            Self::Echo => Contestant::new::<Echo>(),
        }
    }

    /// Serves as this contender does, in a runtime as it wants it; with data services, as the one in front of them.
    ///
    /// # Errors
    ///
    /// As the contender reports it.
    pub fn serve(
        self,
        bound: oneshot::Sender<SocketAddr>,
        data: Vec<SocketAddr>,
    ) -> Result<(), Error> {
        (self.of().serve)(bound, data)
    }

    /// Puts a load on a server of this contender, in a runtime as it wants it.
    ///
    /// # Errors
    ///
    /// The first error of a call.
    pub fn load(self, server: SocketAddr, load: Load) -> Result<Latencies, Error> {
        (self.of().load)(server, load)
    }

    /// Holds connections or calls of this contender, in a runtime as it wants it.
    ///
    /// # Errors
    ///
    /// The first error of a call.
    pub fn hold(self, server: SocketAddr, held: Held) -> Result<(), Error> {
        (self.of().hold)(server, held)
    }

    /// The packages that it is made of.
    pub fn packages(self) -> &'static [&'static str] {
        self.of().packages
    }

    /// Whether its server runs handlers.
    pub fn handles(self) -> bool {
        self.of().handles
    }

    /// Whether it is neither a floor nor ours.
    pub fn is_peer(self) -> bool {
        self.handles() && !self.is_ours()
    }

    /// Whether it is what this is about.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Doge | Self::DogeCluster)
    }
}

impl Contestant {
    fn new<C: Contender>() -> Self {
        Self {
            serve: |bound, data| {
                C::run(async move { C::serve(bound, Handler::connect(&data).await?).await })
            },
            load: |server, load| C::run(async move { load.put_on::<C>(server).await }),
            hold: |server, held| C::run(held.by::<C>(server)),
            packages: C::PACKAGES,
            handles: C::HANDLES,
        }
    }
}

/// The name that the command line takes, too.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
