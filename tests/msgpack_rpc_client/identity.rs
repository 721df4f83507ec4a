//! Two services on one port that have a method of the same name: a call of one never runs the other.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use doge_rpc::{
    client::MsgpackRpcConfig,
    msgpack_rpc::{MetaMap, Options},
    prelude::*,
    registry::{Memory, ServiceKey},
    server::{Builder, Running},
};

use crate::{common::patient, peer::channel};

#[service(name = "hr.employee")]
trait Employee {
    async fn remove(&self, id: u32) -> Result<String, Status>;
}

#[service(name = "hr.leave")]
trait Leave {
    async fn remove(&self, id: u32) -> Result<String, Status>;
}

/// A service that is not served here.
#[service(name = "hr.payroll")]
trait Payroll {
    async fn remove(&self, id: u32) -> Result<String, Status>;
}

#[derive(Default)]
struct Employees(Arc<AtomicUsize>);

impl Employee for Employees {
    async fn remove(&self, id: u32) -> Result<String, Status> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(format!("EMPLOYEE {id} removed"))
    }
}

struct Leaves;

impl Leave for Leaves {
    async fn remove(&self, id: u32) -> Result<String, Status> {
        Ok(format!("leave {id} removed"))
    }
}

fn builder(removed: &Arc<AtomicUsize>) -> Builder {
    Server::builder()
        .add(EmployeeServer::new(Employees(Arc::clone(removed))))
        .add(LeaveServer::new(Leaves))
}

/// A server of employees first, and of leaves, and how many employees were removed.
async fn serve(meta: MetaMap) -> (Running, Arc<AtomicUsize>) {
    let removed = Arc::new(AtomicUsize::new(0));
    let options = Options {
        meta,
        ..Options::default()
    };
    let server = builder(&removed).msgpack_rpc(options);
    (server.start("tcp://127.0.0.1:0").await.unwrap(), removed)
}

fn client(server: &Running, scheme: &str, config: MsgpackRpcConfig) -> Client {
    let address = server.address().to_string().replace("tcp", scheme);
    Client::from(channel(&address, config)).with(patient())
}

#[tokio::test]
async fn a_call_of_one_service_never_runs_another_where_there_is_a_meta_map() {
    for meta in [MetaMap::ByArity, MetaMap::Always] {
        let (server, removed) = serve(meta).await;
        let client = client(&server, "doge", MsgpackRpcConfig::default());
        let leave = LeaveClient::new(client.clone());
        let left = leave.remove(7).await;
        assert_eq!(left, Ok("leave 7 removed".to_owned()), "{meta:?}");
        let payroll = PayrollClient::new(client.clone());
        let error = payroll.remove(7).await.unwrap_err();
        assert!(
            error.message().contains("no service \"hr.payroll\""),
            "{error}"
        );
        assert_eq!(removed.load(Ordering::SeqCst), 0);
        // By name, the service may stand in front as well; another one is no way around.
        let untyped = client.untyped("hr.leave");
        for method in ["hr.leave/remove", "hr.leave.remove"] {
            let left = untyped.call::<String>(method, (7,)).await;
            assert_eq!(left, Ok("leave 7 removed".to_owned()));
        }
        let error = untyped.call::<String>("hr.employee/remove", (7,)).await;
        error.unwrap_err();
        assert_eq!(removed.load(Ordering::SeqCst), 0);
        let employee = EmployeeClient::new(client);
        let employee = employee.remove(7).await;
        assert_eq!(employee, Ok("EMPLOYEE 7 removed".to_owned()));
    }
}

#[tokio::test]
async fn where_no_meta_map_is_expected_a_call_that_has_one_runs_nothing() {
    let (server, removed) = serve(MetaMap::Never).await;
    let client = client(&server, "doge", MsgpackRpcConfig::default());
    LeaveClient::new(client).remove(7).await.unwrap_err();
    assert_eq!(removed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn without_a_meta_map_the_method_can_say_its_service() {
    let (server, removed) = serve(MetaMap::ByArity).await;
    let qualified = MsgpackRpcConfig {
        qualified_methods: true,
        ..MsgpackRpcConfig::default()
    };
    for scheme in ["msgpack-rpc", "doge"] {
        let client = client(&server, scheme, qualified.clone());
        let leave = LeaveClient::new(client.clone());
        assert_eq!(leave.remove(7).await, Ok("leave 7 removed".to_owned()));
        PayrollClient::new(client).remove(7).await.unwrap_err();
    }
    assert_eq!(removed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_not_the_default_service_of_its_port_is_registered_as_such() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let removed = Arc::default();
    let native_only = async |service: &str| {
        let watch = registry.watch(ServiceKey::new(service)).await.unwrap();
        let instances = watch.snapshot();
        instances.iter().next().unwrap().is_native_only()
    };
    let server = builder(&removed).registry(&registry);
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    assert!(!native_only("hr.employee").await);
    assert!(native_only("hr.leave").await);
    server.drain().await;
    let server = builder(&removed).registry(&registry).without_msgpack_rpc();
    let _server = server.start("tcp://127.0.0.1:0").await.unwrap();
    assert!(native_only("hr.employee").await && native_only("hr.leave").await);
}

/// The registry of Python doge, whose clients know methods by their names alone. It is asked nothing here.
#[cfg(feature = "etcd-v2")]
#[tokio::test]
async fn what_is_not_the_default_service_of_its_port_is_not_registered_with_python() {
    let registry = doge_rpc::registry::open("etcd-v2://127.0.0.1:1").unwrap();
    let options = Options {
        default_service: Some("hr.leave".into()),
        ..Options::default()
    };
    let server = builder(&Arc::default()).msgpack_rpc(options);
    let server = server.registry(&registry).start("tcp://127.0.0.1:0").await;
    let error = server.unwrap_err().to_string();
    for part in ["hr.employee", "port of its own", "default_service"] {
        assert!(error.contains(part), "{error}");
    }
}
