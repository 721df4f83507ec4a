//! An address at which nobody serves.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use doge_faults::{Ledger as _, LedgerClient};
use doge_rpc::{
    client::Cluster,
    registry::{Registry, Static},
};

use crate::fleet::Fleet;

const CALLS: u64 = 2000;

#[tokio::test]
async fn an_address_that_refuses_fails_no_call_and_costs_few_attempts() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let cluster = call_beside(address).await;
    let further = cluster.stats().attempts - CALLS;
    assert!(further < 20, "{further} attempts");
}

#[tokio::test]
async fn an_address_that_hangs_up_fails_no_call_and_costs_few_attempts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let came = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&came);
    thread::spawn(move || {
        for stream in listener.incoming() {
            drop(stream);
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    call_beside(address).await;
    let came = came.load(Ordering::SeqCst);
    assert!((1..20).contains(&came), "{came} attempts");
}

/// Calls a replica of which only the registry tells, together with that address.
async fn call_beside(dead: SocketAddr) -> Cluster {
    let fleet = Fleet::start(1);
    let addresses = [fleet.replicas[0].address.clone(), format!("tcp://{dead}")];
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(addresses));
    let cluster = LedgerClient::cluster().registry(&registry);
    let cluster = cluster.follow().await.unwrap();
    let client = LedgerClient::new(cluster.clone());
    for value in 0..CALLS {
        assert_eq!(client.read(value, 0).await.unwrap(), value);
    }
    cluster
}
