//! What is measured.

mod doge;
mod echo;
mod echo_msgpack;

use std::{fmt, net::SocketAddr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

pub use self::{
    doge::{Doge, DogeCluster},
    echo::Echo,
    echo_msgpack::EchoMsgpack,
};
use crate::{
    Contender as _, Error,
    load::{self, Load},
};

/// A contender by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Entry {
    /// [`Doge`].
    #[value(name = "doge-rpc")]
    Doge,
    /// [`DogeCluster`].
    #[value(name = "doge-rpc cluster")]
    DogeCluster,
    /// [`EchoMsgpack`].
    #[value(name = "echo+msgpack")]
    EchoMsgpack,
    /// [`Echo`].
    #[value(name = "echo")]
    Echo,
}

impl Entry {
    /// Serves as this contender does.
    ///
    /// # Errors
    ///
    /// As the contender reports it.
    pub async fn serve(self, bound: oneshot::Sender<SocketAddr>) -> Result<(), Error> {
        match self {
            Self::Doge => Doge::serve(bound).await,
            Self::DogeCluster => DogeCluster::serve(bound).await,
            Self::Echo => Echo::serve(bound).await,
            Self::EchoMsgpack => EchoMsgpack::serve(bound).await,
        }
    }

    /// Puts a load on a server of this contender.
    ///
    /// # Errors
    ///
    /// The first error of a call.
    pub async fn load(self, server: SocketAddr, load: &Load) -> Result<load::Latencies, Error> {
        match self {
            Self::Doge => load.put_on::<Doge>(server).await,
            Self::DogeCluster => load.put_on::<DogeCluster>(server).await,
            Self::Echo => load.put_on::<Echo>(server).await,
            Self::EchoMsgpack => load.put_on::<EchoMsgpack>(server).await,
        }
    }
}

/// The name that the command line takes, too.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Doge => "doge-rpc",
            Self::DogeCluster => "doge-rpc cluster",
            Self::Echo => "echo",
            Self::EchoMsgpack => "echo+msgpack",
        })
    }
}
