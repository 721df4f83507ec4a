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
#[bench::one_caller(World::local(), 1)]
fn local(world: World, callers: usize) -> World {
    world.call(OPERATIONS, callers);
    world
}

// Over a connection, whose bytes go through a pipe within the process.
#[library_benchmark]
#[bench::one_caller(World::connected(1), 1)]
#[bench::callers_16(World::connected(16), 16)]
fn memory(world: World, callers: usize) -> World {
    world.call(OPERATIONS, callers);
    world
}

// The same with a registry, a balancer, health, and a retry budget.
#[library_benchmark]
#[bench::one_caller(World::clustered(1), 1)]
#[bench::callers_16(World::clustered(16), 16)]
fn cluster(world: World, callers: usize) -> World {
    world.call(OPERATIONS, callers);
    world
}

struct World {
    client: EchoClient,
    _server: Option<Running>,
    runtime: Runtime,
}

/// Calls before the count starts: routes are named by then, buffers and slots have their size.
const FIRST: usize = 64;

impl World {
    fn local() -> Self {
        let runtime = runtime();
        let world = Self {
            client: EchoClient::local(SameValue),
            _server: None,
            runtime,
        };
        world.call(FIRST, 1);
        world
    }

    fn connected(callers: usize) -> Self {
        Self::serve(callers, async {
            EchoClient::connect(ADDRESS).expect("an address")
        })
    }

    fn clustered(callers: usize) -> Self {
        Self::serve(callers, async {
            let registry: Arc<dyn Registry> = Arc::new(Static::addresses([ADDRESS]));
            let client = EchoClient::connect_via(&registry).await;
            client.expect("a fixed registry answers")
        })
    }

    fn serve(callers: usize, connect: impl Future<Output = EchoClient>) -> Self {
        let runtime = runtime();
        let (client, server) = runtime.block_on(async {
            let server = Server::builder().add(EchoServer::new(SameValue));
            let server = server.start(ADDRESS).await.expect("the name is free");
            (connect.await, server)
        });
        let world = Self {
            client,
            _server: Some(server),
            runtime,
        };
        world.call(FIRST, callers);
        world
    }

    /// Makes so many calls, by so many callers that each make the next one when the last is answered.
    fn call(&self, calls: usize, callers: usize) {
        let each = calls / callers;
        self.runtime.block_on(async {
            if callers == 1 {
                return call(self.client.clone(), each).await;
            }
            let tasks: Vec<_> = (0..callers)
                .map(|_| tokio::spawn(call(self.client.clone(), each)))
                .collect();
            for task in tasks {
                task.await.expect("a caller ends by itself");
            }
        });
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

async fn call(client: EchoClient, calls: usize) {
    let mut value = Small::sample();
    for _ in 0..calls {
        value = client.small(value).await.expect("an echo answers");
    }
}
