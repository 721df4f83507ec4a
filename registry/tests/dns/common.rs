use std::time::Duration;

use doge_registry::{Dns, DnsBuilder, Registry, ServiceKey, Snapshot, Watch};
use doge_test_support::NameServer;
use tokio::time::timeout;

/// Far more than anything here takes, so that only what never happens runs into it.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);
pub(crate) const NAME: &str = "employee.hr.svc.";
pub(crate) const SRV: &str = "_doge._tcp.hr.svc.";
const HOUR: Duration = Duration::from_secs(3600);

/// The key that the tests use when any will do.
pub(crate) fn key() -> ServiceKey {
    ServiceKey::new("hr.employee")
}

/// The addresses of [`NAME`], looked up several times a second.
pub(crate) fn quick(server: &NameServer) -> DnsBuilder {
    let (shortest, longest) = (Duration::from_millis(100), Duration::from_millis(200));
    slow(server).refresh(shortest, longest)
}

/// The addresses of [`NAME`], looked up again when their time to live has passed, or after a hint.
pub(crate) fn slow(server: &NameServer) -> DnsBuilder {
    set_up(Dns::addresses(NAME, 7000), server)
}

/// What the records of [`SRV`] say, looked up several times a second.
pub(crate) fn quick_srv(server: &NameServer) -> DnsBuilder {
    let (shortest, longest) = (Duration::from_millis(100), Duration::from_millis(200));
    set_up(Dns::srv(SRV), server).refresh(shortest, longest)
}

fn set_up(builder: DnsBuilder, server: &NameServer) -> DnsBuilder {
    let builder = builder.refresh(Duration::from_millis(100), HOUR);
    builder
        .server(server.address())
        .timeout(Duration::from_secs(2))
}

pub(crate) async fn watch(builder: DnsBuilder) -> Watch {
    builder.build().unwrap().watch(key()).await.unwrap()
}

/// The addresses of a list, without their scheme.
pub(crate) fn places(snapshot: &Snapshot) -> Vec<String> {
    let addresses = snapshot.iter().map(|instance| instance.address());
    let mut places: Vec<_> = addresses
        .map(|address| address.trim_start_matches("tcp://").to_owned())
        .collect();
    places.sort();
    places
}

/// Waits until the watch has these, in the order of their text.
#[track_caller]
pub(crate) fn until(watch: &mut Watch, wanted: &[&str]) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let waiting = async {
            while places(&watch.snapshot()) != wanted {
                watch.changed().await.unwrap();
            }
        };
        if timeout(LIMIT, waiting).await.is_err() {
            let is = places(&watch.snapshot());
            panic!("{caller}: it is {is:?}, and never {wanted:?}");
        }
    }
}

/// Waits until so many questions more were asked.
pub(crate) async fn until_asked(server: &NameServer, more: usize) {
    let wanted = server.questions().len() + more;
    let asked = async {
        while server.questions().len() < wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, asked).await.unwrap();
}
