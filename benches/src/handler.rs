use std::net::SocketAddr;

use crate::{Contender, Error};

/// What a server does with a call.
#[derive(Clone, Debug)]
pub enum Handler<C> {
    /// Gives back what it gets.
    Echo,
    /// Asks two data services, both at once, and gives back what the first of them gave.
    Chain([C; 2]),
}

impl<C: Contender> Handler<C> {
    /// The handler that asks these data services; without any, the one that answers by itself.
    ///
    /// # Errors
    ///
    /// When there is no connection to one, or when there are neither none nor two.
    pub async fn connect(data: &[SocketAddr]) -> Result<Self, Error> {
        match data {
            [] => Ok(Self::Echo),
            &[one, two] => Ok(Self::Chain([
                C::connect(one).await?,
                C::connect(two).await?,
            ])),
            _ => Err("a chain has two data services".into()),
        }
    }

    /// Answers one call.
    ///
    /// # Errors
    ///
    /// As a data service reports it.
    pub async fn answer(&self, value: C::Value) -> Result<C::Value, Error> {
        match self {
            Self::Echo => Ok(value),
            // In a box, so that only those who ask others pay for the size of the calls.
            Self::Chain(data) => Box::pin(ask_both(data, value)).await,
        }
    }
}

async fn ask_both<C: Contender>([one, two]: &[C; 2], value: C::Value) -> Result<C::Value, Error> {
    let (one, _) = tokio::try_join!(one.call(value.clone()), two.call(value))?;
    Ok(one)
}
