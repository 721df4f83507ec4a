//! A name server.

mod answer;
mod zone;

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use self::zone::Zone;
use crate::free_port;

/// How long it takes at most until a thread sees that it is to end.
const POLL: Duration = Duration::from_millis(20);

/// A name server on loopback, over UDP and TCP, that knows and does what its test says.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// How a name server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mood {
    /// From its records.
    #[default]
    Honest,
    /// That the name does not exist.
    NxDomain,
    /// That it could not find out.
    ServFail,
    /// That it will not say.
    Refused,
    /// Without records and without an error.
    Empty,
    /// Not at all.
    Silent,
    /// Over UDP: that the answer does not fit.
    Truncated,
    /// With bytes that are no message, after the right id.
    Garbage,
    /// With the right answer to another question: the id is wrong.
    WrongId,
    /// With a name that points at itself.
    Loop,
    /// With a count of records that the message does not hold.
    Overcount,
}

/// A question that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name, with a dot at the end, in lower case.
    pub name: String,
    /// `A`, `AAAA`, `SRV`, and so on.
    pub kind: String,
    /// Whether it came over TCP.
    pub tcp: bool,
}

impl NameServer {
    /// A name server at a free port, without any record.
    pub fn start() -> Self {
        loop {
            let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
            let mut server = Self {
                address,
                zone: Arc::default(),
                running: None,
            };
            if server.try_run().is_ok() {
                return server;
            }
        }
    }

    /// Where it listens, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives a name these records, and no others: `A 10.0.0.1`, `AAAA ::1`, `SRV 0 10 4399 a.b.`, `CNAME a.b.`.
    pub fn set<R: AsRef<str>>(&self, name: &str, ttl: u32, records: impl IntoIterator<Item = R>) {
        self.zone().set(name, ttl, records);
    }

    /// Answers so from now on, whatever is asked.
    pub fn becomes(&self, mood: Mood) {
        self.zone().becomes(mood);
    }

    /// Answers so from now on when records of this kind are asked for.
    pub fn becomes_for(&self, kind: &str, mood: Mood) {
        self.zone().becomes_for(kind, mood);
    }

    /// Whether the addresses of SRV targets come along with the SRV records; not unless set.
    pub fn sends_targets_along(&self, sends: bool) {
        self.zone().targets_along = sends;
    }

    /// Whether what a CNAME points at comes along with the CNAME; it does unless set.
    pub fn follows_aliases(&self, follows: bool) {
        self.zone().follows_aliases = follows;
    }

    /// What was asked, from the first question on.
    pub fn questions(&self) -> Vec<Question> {
        self.zone().questions.clone()
    }

    /// Ends it: its sockets are closed when this returns.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop.store(true, Ordering::Relaxed);
            for thread in running.threads {
                let _ = thread.join();
            }
        }
    }

    /// Runs again, with the same records at the same address.
    pub fn restart(&mut self) {
        self.stop();
        self.try_run().unwrap();
    }

    fn try_run(&mut self) -> io::Result<()> {
        let udp = UdpSocket::bind(self.address)?;
        let tcp = TcpListener::bind(self.address)?;
        udp.set_read_timeout(Some(POLL))?;
        tcp.set_nonblocking(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let threads = vec![
            spawn(&stop, &self.zone, move |stop, zone| {
                serve_udp(&udp, stop, zone);
            }),
            spawn(&stop, &self.zone, move |stop, zone| {
                serve_tcp(&tcp, stop, zone);
            }),
        ];
        self.running = Some(Running { stop, threads });
        Ok(())
    }

    fn zone(&self) -> MutexGuard<'_, Zone> {
        self.zone.lock().unwrap()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop();
    }
}

type Stop = Arc<AtomicBool>;
type Shared = Arc<Mutex<Zone>>;

fn spawn(
    stop: &Stop,
    zone: &Shared,
    work: impl FnOnce(&Stop, &Shared) + Send + 'static,
) -> JoinHandle<()> {
    let (stop, zone) = (Arc::clone(stop), Arc::clone(zone));
    thread::spawn(move || work(&stop, &zone))
}

fn serve_udp(socket: &UdpSocket, stop: &Stop, zone: &Shared) {
    let mut buffer = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        if let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let answer = zone.lock().unwrap().answer(&buffer[..length], false);
            if let Some(answer) = answer {
                let _ = socket.send_to(&answer, peer);
            }
        }
    }
}

fn serve_tcp(listener: &TcpListener, stop: &Stop, zone: &Shared) {
    let mut peers = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => peers.push(spawn(stop, zone, move |stop, zone| {
                let _ = serve_stream(stream, stop, zone);
            })),
            Err(_) => thread::sleep(POLL / 4),
        }
    }
    for peer in peers {
        let _ = peer.join();
    }
}

/// Questions and answers, each after its length.
fn serve_stream(mut stream: TcpStream, stop: &Stop, zone: &Shared) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(POLL))?;
    let mut length = [0; 2];
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut length[..1]) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(_) => continue,
        }
        stream.set_read_timeout(None)?;
        stream.read_exact(&mut length[1..])?;
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut question)?;
        stream.set_read_timeout(Some(POLL))?;
        let answer = zone.lock().unwrap().answer(&question, true);
        if let Some(answer) = answer {
            let length = u16::try_from(answer.len()).unwrap();
            stream.write_all(&[&length.to_be_bytes()[..], &answer].concat())?;
        }
    }
    Ok(())
}
