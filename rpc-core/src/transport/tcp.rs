//! TCP: names with several addresses, and listeners.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use socket2::{Domain, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream, lookup_host},
    time::{Instant, sleep_until},
};

use super::{HostPort, Listener, Stream};
use crate::Deadline;

/// RFC 8305, section 5: how long an attempt has before the next one begins beside it.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// RFC 8305, section 5: no attempt begins sooner after the one before, unless that one has failed.
const LEAST_ATTEMPT_DELAY: Duration = Duration::from_millis(10);

/// Connections that may wait to be accepted, as far as the system lets them.
const BACKLOG: i32 = 1024;

pub(super) async fn connect(place: &HostPort, within: Duration) -> io::Result<Stream> {
    let until = Deadline::after(within).instant();
    let found = lookup_host((place.host(), place.port())).await?;
    let addresses = interleaved(found.collect());
    let left = until.saturating_duration_since(Instant::now());
    race(&addresses, left, TcpStream::connect)
        .await
        .and_then(Stream::tcp)
}

pub(super) async fn listen(place: &HostPort) -> io::Result<Listener> {
    Listener::tcp(TcpListener::bind((place.host(), place.port())).await?)
}

/// A listener that others of the same user may share the port with.
pub(super) async fn listen_with_others(place: &HostPort) -> io::Result<Listener> {
    let mut last = None;
    for address in lookup_host((place.host(), place.port())).await? {
        match bind_with_others(address) {
            Ok(listener) => return Listener::tcp(listener),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(no_address))
}

fn bind_with_others(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// The families in turn, beginning with that of the first address: where one of them goes nowhere, the other comes next.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else {
        return addresses;
    };
    let count = addresses.len();
    let (one, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|it| it.is_ipv6() == first);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    (0..count)
        .flat_map(|_| [one.next(), other.next()])
        .flatten()
        .collect()
}

/// Connects to the first address that answers.
async fn race<T, F>(
    addresses: &[SocketAddr],
    within: Duration,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = addresses.iter();
    let Some(first) = waiting.next() else {
        return Err(no_address());
    };
    let share = within / 2 / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    let delay = share.clamp(LEAST_ATTEMPT_DELAY, ATTEMPT_DELAY);
    let attempt = |to: &SocketAddr| {
        let to = *to;
        connect(to).map(move |ended| (to, ended))
    };
    let mut attempts = FuturesUnordered::from_iter([attempt(first)]);
    let mut next_at = Instant::now() + delay;
    let mut failed = Vec::new();
    loop {
        let more = !waiting.as_slice().is_empty();
        tokio::select! {
            biased;
            ended = attempts.next() => match ended {
                Some((_, Ok(connected))) => return Ok(connected),
                Some((to, Err(error))) => failed.push((to, error)),
                None => return Err(all_failed(failed)),
            },
            () = sleep_until(next_at), if more => {}
        }
        attempts.extend(waiting.next().map(&attempt));
        next_at = Instant::now() + delay;
    }
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the name has no address")
}

/// What a caller is told. `ConnectionRefused`, where each of several addresses said so: nobody listens there.
fn all_failed(mut failed: Vec<(SocketAddr, io::Error)>) -> io::Error {
    let Some((_, last)) = failed.last() else {
        return no_address();
    };
    let kind = last.kind();
    if failed.len() == 1 {
        return failed.remove(0).1;
    }
    let is_same = failed.iter().all(|(_, error)| error.kind() == kind);
    let texts: Vec<_> = failed
        .iter()
        .map(|(to, error)| format!("{to}: {error}"))
        .collect();
    let kind = if is_same { kind } else { io::ErrorKind::Other };
    io::Error::new(kind, texts.join("; "))
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        io,
        net::{SocketAddr, TcpListener as StdListener},
        time::Duration,
    };

    use socket2::{Domain, Socket, Type};
    use tokio::{net::TcpStream, time::Instant};

    use super::{interleaved, race};

    const SECOND: Duration = Duration::from_secs(1);

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let given = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1"]);
        let turns = addresses(&["[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(interleaved(given), turns);
        assert_eq!(interleaved(Vec::new()), []);
    }

    /// Whoever is named `dead` drops packets, `refusing` refuses at once, others answer after 10 ms.
    async fn connect(
        to: SocketAddr,
        dead: &[SocketAddr],
        refusing: &[SocketAddr],
    ) -> io::Result<SocketAddr> {
        if dead.contains(&to) {
            return pending().await;
        }
        if refusing.contains(&to) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(to)
    }

    #[tokio::test(start_paused = true)]
    async fn all_addresses_have_their_turn_within_the_time() {
        for count in [2_u16, 5, 30] {
            let all: Vec<_> = (1..=count)
                .map(|port| SocketAddr::from(([10, 0, 0, 1], port)))
                .collect();
            let (dead, good) = all.split_at(all.len() - 1);
            let began = Instant::now();
            let connected = race(&all, SECOND, |to| connect(to, dead, &[]))
                .await
                .unwrap();
            assert_eq!(connected, good[0]);
            assert!(
                began.elapsed() < SECOND * 3 / 4,
                "{count}: {:?}",
                began.elapsed()
            );
            let began = Instant::now();
            let connected = race(&all, SECOND, |to| connect(to, &[], dead))
                .await
                .unwrap();
            assert_eq!((connected, began.elapsed().as_millis()), (good[0], 10));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_answers_within_the_delay_is_the_only_one_tried() {
        let all = addresses(&["10.0.0.1:1", "10.0.0.2:1"]);
        let tried = std::cell::Cell::new(0);
        let connected = race(&all, SECOND, |to| {
            tried.set(tried.get() + 1);
            connect(to, &[], &[])
        });
        assert_eq!((connected.await.unwrap(), tried.get()), (all[0], 1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_fails_everywhere_says_where_and_why() {
        let all = addresses(&["10.0.0.1:1", "[::1]:1"]);
        let error = race(&all, SECOND, |to| connect(to, &[], &all))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let text = error.to_string();
        assert!(
            text.contains("10.0.0.1:1: ") && text.contains("[::1]:1: "),
            "{text}"
        );
        let none = race(&[], SECOND, |to| connect(to, &[], &[]))
            .await
            .unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
    }

    /// A listener whose queue is full drops what comes, as a host behind a firewall does.
    #[tokio::test]
    async fn an_address_that_drops_packets_does_not_keep_from_the_next() {
        let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        full.listen(0).unwrap();
        let dropping = full.local_addr().unwrap().as_socket().unwrap();
        let mut fills = Vec::new();
        while let Ok(fill) = std::net::TcpStream::connect_timeout(&dropping, SECOND / 5) {
            fills.push(fill);
        }
        let good = StdListener::bind("127.0.0.1:0").unwrap();
        let good = good.local_addr().unwrap();
        let connected = race(&[dropping, good], 10 * SECOND, TcpStream::connect)
            .await
            .unwrap();
        assert_eq!(connected.peer_addr().unwrap(), good);
    }
}
