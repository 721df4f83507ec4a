use std::{future::Future, sync::Arc};

use doge_benches::Small;
use doge_rpc::{
    prelude::*,
    registry::{Registry, Static},
    server::Running,
};
use gungraun::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::{
    OPERATIONS,
    echo::{Echo as _, EchoClient, EchoServer, SameValue},
};

library_benchmark_group!(name = whole_calls, benchmarks = [local, memory, cluster]);

/// Where the server listens. Each scenario is a process of its own.
const ADDRESS: &str = "memory://instructions";

// Through the codec, without a connection.
#[library_benchmark]
#[bench::small(World::local(Payload::Small))]
#[bench::nothing(World::local(Payload::Nothing))]
fn local(world: World) -> World {
    world.call(OPERATIONS);
    world
}

// Over a connection, whose bytes go through a pipe within the process.
#[library_benchmark]
#[bench::small_1(World::connected(Payload::Small, 1))]
#[bench::small_16(World::connected(Payload::Small, 16))]
#[bench::nothing_1(World::connected(Payload::Nothing, 1))]
#[bench::nothing_16(World::connected(Payload::Nothing, 16))]
fn memory(world: World) -> World {
    world.call(OPERATIONS);
    world
}

// The same with a registry, a balancer, health, and a retry budget.
#[library_benchmark]
#[bench::small_1(World::clustered(Payload::Small, 1))]
#[bench::small_16(World::clustered(Payload::Small, 16))]
#[bench::nothing_1(World::clustered(Payload::Nothing, 1))]
#[bench::nothing_16(World::clustered(Payload::Nothing, 16))]
fn cluster(world: World) -> World {
    world.call(OPERATIONS);
    world
}

struct World {
    client: EchoClient,
    _server: Option<Running>,
    payload: Payload,
    callers: usize,
    runtime: Runtime,
}

#[derive(Clone, Copy)]
enum Payload {
    Small,
    Nothing,
}

/// Calls before the count starts: routes are named by then, buffers and slots have their size.
const FIRST: usize = 64;

impl World {
    fn local(payload: Payload) -> Self {
        let world = Self {
            client: EchoClient::local(SameValue),
            _server: None,
            payload,
            callers: 1,
            runtime: runtime(),
        };
        world.call(FIRST);
        world
    }

    fn connected(payload: Payload, callers: usize) -> Self {
        Self::serve(payload, callers, async {
            EchoClient::connect(ADDRESS).expect("an address")
        })
    }

    fn clustered(payload: Payload, callers: usize) -> Self {
        Self::serve(payload, callers, async {
            let registry: Arc<dyn Registry> = Arc::new(Static::addresses([ADDRESS]));
            let client = EchoClient::connect_via(&registry).await;
            client.expect("a fixed registry answers")
        })
    }

    fn serve(payload: Payload, callers: usize, connect: impl Future<Output = EchoClient>) -> Self {
        let runtime = runtime();
        let (client, server) = runtime.block_on(async {
            let server = Server::builder().add(EchoServer::new(SameValue));
            let server = server.start(ADDRESS).await.expect("the name is free");
            (connect.await, server)
        });
        let world = Self {
            client,
            _server: Some(server),
            payload,
            callers,
            runtime,
        };
        world.call(FIRST);
        world
    }

    /// Makes so many calls, by callers that each make the next one when the last is answered.
    fn call(&self, calls: usize) {
        let each = calls / self.callers;
        let caller = || call(self.client.clone(), self.payload, each);
        self.runtime.block_on(async {
            if self.callers == 1 {
                return caller().await;
            }
            let tasks: Vec<_> = (0..self.callers).map(|_| tokio::spawn(caller())).collect();
            for task in tasks {
                task.await.expect("a caller ends by itself");
            }
        });
    }
}

async fn call(client: EchoClient, payload: Payload, calls: usize) {
    match payload {
        Payload::Small => {
            let mut value = Small::sample();
            for _ in 0..calls {
                value = client.small(value).await.expect("an echo answers");
            }
        }
        Payload::Nothing => {
            for _ in 0..calls {
                client.nothing().await.expect("an echo answers");
            }
        }
    }
}

/// With a clock that stands: under callgrind all is so slow that handlers would be taken for heavy ones.
fn runtime() -> Runtime {
    fastrand::seed(1);
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a process has room for one more epoll")
}
