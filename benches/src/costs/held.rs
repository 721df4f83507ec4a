use std::{
    fmt,
    io::{self, Write as _},
    net::SocketAddr,
    str::FromStr,
    time::Duration,
};

use tokio::task::JoinSet;

use crate::{Contender, Entry, Error, Memory, Payload, files};

/// What a client holds while its memory is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// So many connections, at least one, each of which has carried a call.
    Connections(usize),
    /// So many calls on one connection, each of which takes a second.
    Calls(usize),
}

/// Connections that are opened at once.
const AT_ONCE: usize = 32;

/// How long a call that is held takes: long enough that all are under way at the same time.
const PAUSE: Duration = Duration::from_secs(1);

/// What the program does in the process of a client that holds something: prints its memory with one connection that has
/// carried a call, waits for a line, and prints it again with all connections open or all calls answered.
///
/// # Errors
///
/// The first error of a call.
pub fn hold(entry: Entry, server: SocketAddr, held: Held) -> Result<(), Error> {
    files::allow_many();
    entry.hold(server, held)
}

impl Held {
    /// Holds it.
    ///
    /// # Errors
    ///
    /// The first error of a call.
    pub async fn by<C: Contender>(self, server: SocketAddr) -> Result<(), Error> {
        let first = connection::<C>(server).await?;
        tell_memory().await?;
        match self {
            Self::Connections(count) => {
                let all = connections::<C>(server, count - 1).await?;
                tell_memory().await?;
                drop((first, all));
            }
            Self::Calls(count) => {
                let mut calls = JoinSet::new();
                for _ in 0..count {
                    let client = first.clone();
                    calls.spawn(async move { client.pause(PAUSE).await });
                }
                while let Some(call) = calls.join_next().await {
                    call??;
                }
                tell_memory().await?;
            }
        }
        Ok(())
    }
}

async fn connections<C: Contender>(server: SocketAddr, count: usize) -> Result<Vec<C>, Error> {
    let (mut open, mut opening) = (Vec::new(), JoinSet::new());
    for _ in 0..count {
        if opening.len() == AT_ONCE {
            open.extend(opening.join_next().await.transpose()?.transpose()?);
        }
        opening.spawn(connection::<C>(server));
    }
    while let Some(connection) = opening.join_next().await {
        open.push(connection??);
    }
    Ok(open)
}

async fn connection<C: Contender>(server: SocketAddr) -> Result<C, Error> {
    let client = C::connect(server).await?;
    client.call(C::value(Payload::Small)?).await?;
    Ok(client)
}

/// Prints the memory of this process, and waits for a line.
async fn tell_memory() -> Result<(), Error> {
    writeln!(io::stdout(), "{}", serde_json::to_string(&Memory::read()?)?)?;
    tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new())).await??;
    Ok(())
}

/// As an argument of the command line: `connections=10000`.
impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connections(count) => write!(f, "connections={count}"),
            Self::Calls(count) => write!(f, "calls={count}"),
        }
    }
}

impl FromStr for Held {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once('=') {
            Some(("connections", count)) => Ok(Self::Connections(count.parse()?)),
            Some(("calls", count)) => Ok(Self::Calls(count.parse()?)),
            _ => Err(format!("nothing to hold: {text}").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Held;

    #[test]
    fn what_is_held_goes_over_the_command_line() {
        for held in [Held::Connections(10), Held::Calls(3)] {
            assert_eq!(held.to_string().parse::<Held>().unwrap(), held);
        }
        assert!("breath=1".parse::<Held>().is_err());
    }
}
