use super::{Etcd, HEALTHY_WITHIN, member::Member};
use crate::free_port;

/// How an [`Etcd`] is started.
#[derive(Clone, Debug)]
#[must_use = "call start() to have the etcd"]
pub struct EtcdOptions {
    members: usize,
    arguments: Vec<String>,
    tls: bool,
}

impl EtcdOptions {
    pub(super) fn new() -> Self {
        Self {
            members: 1,
            arguments: Vec::new(),
            tls: false,
        }
    }

    /// How many members there are: 1 unless set.
    pub fn members(mut self, count: usize) -> Self {
        self.members = count;
        self
    }

    /// Adds arguments to the command line of each member, such as `--quota-backend-bytes=1000000`.
    pub fn arguments<A: Into<String>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Serves the API of version 2 as well, for [`Etcd::v2`].
    pub fn v2(self) -> Self {
        self.arguments(["--enable-v2=true"])
    }

    /// Clients connect with TLS; the arguments then have to name the certificates.
    ///
    /// The helpers that read and write keys do not work with it.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Starts the members; they are healthy when this returns.
    ///
    /// # Panics
    ///
    /// When etcd is not there or does not become healthy.
    pub fn start(self) -> Etcd {
        let scheme = if self.tls { "https" } else { "http" };
        loop {
            let mut members = self.place(scheme);
            for member in &mut members {
                member.start();
            }
            // Ports that were free a moment ago may be taken by now: then there are others.
            if members
                .iter_mut()
                .all(|member| member.becomes_healthy(HEALTHY_WITHIN))
            {
                return Etcd { members, scheme };
            }
        }
    }

    fn place(&self, scheme: &str) -> Vec<Member> {
        let peers: Vec<String> = (0..self.members)
            .map(|_| format!("http://127.0.0.1:{}", free_port()))
            .collect();
        let cluster: Vec<String> = peers
            .iter()
            .enumerate()
            .map(|(number, peer)| format!("m{number}={peer}"))
            .collect();
        let cluster = cluster.join(",");
        peers
            .iter()
            .enumerate()
            .map(|(number, peer)| {
                let mut arguments = self.election();
                arguments.push(format!("--name=m{number}"));
                arguments.push(format!("--listen-peer-urls={peer}"));
                arguments.push(format!("--initial-advertise-peer-urls={peer}"));
                arguments.push(format!("--initial-cluster={cluster}"));
                arguments.extend_from_slice(&self.arguments);
                Member::new(scheme, arguments)
            })
            .collect()
    }

    /// Several members on a busy machine need more patience with each other.
    fn election(&self) -> Vec<String> {
        let (heartbeat, election) = if self.members == 1 {
            (50, 500)
        } else {
            (100, 1000)
        };
        vec![
            format!("--heartbeat-interval={heartbeat}"),
            format!("--election-timeout={election}"),
        ]
    }
}
