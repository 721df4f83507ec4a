//! The same calls of MessagePack-RPC, answered by mprpc's server in Python and by ours, in turn.
//!
//! ```sh
//! python3 interop/python/install.py target/python
//! cargo bench -p doge-benches --bench beside_python -- --markdown docs/performance.md
//! ```

use std::{
    collections::VecDeque,
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use clap::Parser;
use doge_benches::{
    Error,
    document::{self, Section},
};
use doge_rpc::prelude::*;
use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

#[derive(Parser)]
struct Options {
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
    /// Serves instead of measuring.
    #[arg(long, hide = true)]
    serve: bool,
    /// The file whose table is made anew, from the root of the workspace.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Rounds, of which the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each is measured in a round, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    window: u64,
}

#[service(name = "calculator")]
trait Calculator {
    async fn sum(&self, a: i64, b: i64) -> Result<i64, Status>;
}

struct Adder;

impl Calculator for Adder {
    async fn sum(&self, a: i64, b: i64) -> Result<i64, Status> {
        Ok(a + b)
    }
}

/// `sum(1, 2)` without a meta map, as mprpc writes it.
const REQUEST: &[u8] = b"\x94\x00\x01\xa3sum\x92\x01\x02";

const ANSWER: &[u8] = b"\x94\x01\x01\xc0\x03";

/// Connections, and calls in flight on each.
///
/// A client of mprpc has one call in flight on a connection. Its server takes several, and takes them one by one.
const LOADS: [(usize, usize); 3] = [(1, 1), (16, 1), (1, 16)];

/// The longest time that is told from longer ones, in nanoseconds.
const LONGEST: u64 = 10_000_000_000;

fn main() -> Result<(), Error> {
    let options = Options::parse();
    if !options.bench {
        // `cargo test` builds and starts it as well.
        return Ok(());
    }
    if options.serve {
        return serve();
    }
    let python = workspace().join("target/python/bin/python");
    if !python.exists() {
        let how = "python3 interop/python/install.py target/python";
        return Err(format!("{} is not there; to make it: {how}", python.display()).into());
    }
    let section = Section {
        name: "beside Python",
        text: measure(&options, &python)?,
    };
    let sections = [section];
    writeln!(io::stdout(), "{}", document::text(&sections))?;
    match &options.markdown {
        Some(file) => document::rewrite(&workspace().join(file), &sections),
        None => Ok(()),
    }
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[tokio::main]
async fn serve() -> Result<(), Error> {
    let server = Server::builder().add(CalculatorServer::new(Adder));
    let server = server.start("tcp://127.0.0.1:0").await?;
    let address = server.address().to_string();
    let (_, port) = address.rsplit_once(':').ok_or("no port")?;
    writeln!(io::stdout(), "ready {port}")?;
    tokio::task::spawn_blocking(|| io::stdin().lines().count()).await?;
    Ok(())
}

/// A server in a process of its own, killed when dropped.
struct ServerProcess {
    child: Child,
    address: SocketAddr,
}

impl ServerProcess {
    fn start(command: &mut Command) -> Result<Self, Error> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim_end().strip_prefix("ready ").ok_or("not ready")?;
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse()?));
        Ok(Self { child, address })
    }

    /// Processor time that it has used, of all threads and in the kernel as well.
    fn cpu(&self) -> Result<Duration, Error> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
        let ticks = |place: usize| fields.split_whitespace().nth(place)?.parse::<u64>().ok();
        // In hundredths of a second, on every Linux that is in use.
        let (user, system) = (ticks(11).ok_or("no time")?, ticks(12).ok_or("no time")?);
        Ok(Duration::from_millis(10 * (user + system)))
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Nothing is left to do when it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came of one window.
struct Sample {
    rate: f64,
    p50: Duration,
    p99: Duration,
    /// Of the server, for a call.
    cpu: Duration,
}

fn measure(options: &Options, python: &Path) -> Result<String, Error> {
    let this = std::env::current_exe()?;
    let mut table = String::from(
        "| connections | calls in flight on each | server | calls/s | p50, us | p99, us | CPU of the server, us per call | calls/s, × Python | CPU, Python's × ours |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for load in LOADS {
        let (connections, in_flight) = load;
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            let mut command = Command::new(python);
            command.arg(workspace().join("interop/python/server.py"));
            command.args(["--no-meta", "--port", "0"]);
            theirs.push(window(&ServerProcess::start(&mut command)?, load, options)?);
            let mut command = Command::new(&this);
            command.args(["--bench", "--serve"]);
            ours.push(window(&ServerProcess::start(&mut command)?, load, options)?);
        }
        let ratio = |of: fn(&Sample, &Sample) -> f64| {
            median(
                theirs
                    .iter()
                    .zip(&ours)
                    .map(|(theirs, ours)| of(theirs, ours)),
            )
        };
        let rates = ratio(|theirs, ours| ours.rate / theirs.rate);
        let cpus = ratio(|theirs, ours| theirs.cpu.div_duration_f64(ours.cpu));
        for (name, samples, ratios) in [
            ("mprpc 0.1.17", &theirs, ["1".into(), "1".into()]),
            (
                "doge-rpc",
                &ours,
                [format!("{rates:.1}"), format!("{cpus:.1}")],
            ),
        ] {
            let micros = |of: fn(&Sample) -> Duration| {
                median(samples.iter().map(|sample| of(sample).as_secs_f64() * 1e6))
            };
            table += &format!(
                "| {connections} | {in_flight} | {name} | {:.0} | {:.0} | {:.0} | {:.1} | {} | {} |\n",
                median(samples.iter().map(|sample| sample.rate)),
                micros(|sample| sample.p50),
                micros(|sample| sample.p99),
                micros(|sample| sample.cpu),
                ratios[0],
                ratios[1],
            );
        }
    }
    Ok(table)
}

#[tokio::main(flavor = "current_thread")]
async fn window(
    server: &ServerProcess,
    (connections, in_flight): (usize, usize),
    options: &Options,
) -> Result<Sample, Error> {
    let warm = Instant::now() + Duration::from_millis(200);
    let end = warm + Duration::from_millis(options.window);
    let callers: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(call(server.address, in_flight, warm, end)))
        .collect();
    tokio::time::sleep_until(warm).await;
    let before = server.cpu()?;
    tokio::time::sleep_until(end).await;
    let used = server.cpu()? - before;
    let mut times = Histogram::<u64>::new_with_bounds(1, LONGEST, 3)?;
    for caller in callers {
        times += caller.await?.map_err(|error| error.to_string())?;
    }
    let calls = times.len();
    let micros = |quantile| Duration::from_nanos(times.value_at_quantile(quantile));
    Ok(Sample {
        rate: calls as f64 / (end - warm).as_secs_f64(),
        p50: micros(0.5),
        p99: micros(0.99),
        cpu: used.div_f64(calls.max(1) as f64),
    })
}

/// Keeps so many calls in flight on one connection, each of which begins with the answer of another.
async fn call(
    server: SocketAddr,
    in_flight: usize,
    warm: Instant,
    end: Instant,
) -> io::Result<Histogram<u64>> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let mut times = Histogram::new_with_bounds(1, LONGEST, 3).map_err(io::Error::other)?;
    let requests = REQUEST.repeat(in_flight);
    let mut begun = VecDeque::from(vec![Instant::now(); in_flight]);
    stream.write_all(&requests).await?;
    let mut read = Vec::with_capacity(64 * 1024);
    while begun.back().is_some_and(|begun| *begun < end) {
        if stream.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let now = Instant::now();
        let answers = read.chunks_exact(ANSWER.len());
        let (count, rest) = (answers.len(), answers.remainder().len());
        for (answer, begun) in answers.zip(begun.drain(..count)) {
            assert_eq!(answer, ANSWER);
            if begun >= warm {
                let time = (now - begun).as_nanos();
                times.saturating_record(u64::try_from(time).unwrap_or(u64::MAX));
            }
        }
        read.drain(..read.len() - rest);
        begun.extend(std::iter::repeat_n(now, count));
        stream.write_all(&requests[..count * REQUEST.len()]).await?;
    }
    Ok(times)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
