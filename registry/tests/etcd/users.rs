//! An etcd with authentication on.

use doge_registry::{Etcd, EtcdBuilder, ServiceKey};
use doge_test_support as support;
use etcd_client::{
    Client, ConnectOptions, DeleteOptions, Permission, PermissionType, RoleRevokePermissionOptions,
};
use serde_json::json;

use crate::common::builder;

/// An etcd with authentication on, and its administrator.
pub(crate) struct Users {
    pub(crate) etcd: support::Etcd,
    pub(crate) root: Client,
}

impl Users {
    /// It knows no one but `root`.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        // The cheapest there is: the usual one takes a tenth of a second of CPU per login.
        let arguments = arguments.iter().copied().chain(["--bcrypt-cost=4"]);
        let etcd = support::Etcd::options().arguments(arguments).start();
        for (path, request) in [
            (
                "/v3/auth/user/add",
                json!({"name": "root", "password": "root"}),
            ),
            ("/v3/auth/role/add", json!({"name": "root"})),
            (
                "/v3/auth/user/grant",
                json!({"user": "root", "role": "root"}),
            ),
            ("/v3/auth/enable", json!({})),
        ] {
            etcd.call(path, &request);
        }
        let options = ConnectOptions::new()
            .with_user("root", "root")
            .with_auto_token_refresh(true);
        let root = Client::connect(etcd.endpoints(), Some(options))
            .await
            .unwrap();
        Self { etcd, root }
    }

    /// Adds a user with the password `secret`, and a role of the same name.
    pub(crate) async fn add(&mut self, name: &str) {
        self.root.user_add(name, "secret", None).await.unwrap();
        self.root.role_add(name).await.unwrap();
        self.root.user_grant_role(name, name).await.unwrap();
    }

    pub(crate) async fn may_write(&mut self, name: &str, prefix: &str) {
        self.grant(name, PermissionType::Readwrite, prefix).await;
    }

    pub(crate) async fn may_read(&mut self, name: &str, prefix: &str) {
        self.grant(name, PermissionType::Read, prefix).await;
    }

    async fn grant(&mut self, name: &str, kind: PermissionType, prefix: &str) {
        let permission = Permission::new(kind, prefix).with_prefix();
        let granted = self.root.role_grant_permission(name, permission);
        granted.await.unwrap();
    }

    /// Takes back what was granted for this prefix.
    pub(crate) async fn may_not(&mut self, name: &str, prefix: &str) {
        let options = RoleRevokePermissionOptions::new().with_prefix();
        let revoked = self
            .root
            .role_revoke_permission(name, prefix, Some(options));
        revoked.await.unwrap();
    }

    pub(crate) async fn delete_prefix(&mut self, prefix: &str) {
        let options = DeleteOptions::new().with_prefix();
        self.root.delete(prefix, Some(options)).await.unwrap();
    }

    pub(crate) async fn revoke_all(&mut self) {
        for lease in self.root.leases().await.unwrap().leases() {
            self.root.lease_revoke(lease.id()).await.unwrap();
        }
    }

    /// How many keys begin with `prefix`.
    pub(crate) async fn count(&mut self, prefix: &str) -> i64 {
        let options = etcd_client::GetOptions::new()
            .with_prefix()
            .with_count_only();
        let found = self.root.get(prefix, Some(options)).await.unwrap();
        found.count()
    }

    /// Waits until so many keys begin with `prefix`.
    pub(crate) async fn until_count(&mut self, prefix: &str, count: i64) {
        let limit = crate::common::LIMIT;
        let waiting = async {
            while self.count(prefix).await != count {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(limit, waiting).await.is_err() {
            panic!("{prefix} has {} keys", self.count(prefix).await);
        }
    }

    /// How often anyone has logged in since etcd was started.
    pub(crate) fn logins(&self) -> u64 {
        let name = r#"grpc_server_started_total{grpc_method="Authenticate",grpc_service="etcdserverpb.Auth",grpc_type="unary"}"#;
        self.etcd.metric(name) as u64
    }

    pub(crate) fn builder(&self, name: &str) -> EtcdBuilder {
        builder(&self.etcd).user(name, "secret")
    }

    pub(crate) fn registry(&self, name: &str) -> Etcd {
        self.builder(name).build().unwrap()
    }
}

/// What the keys of the service begin with.
pub(crate) fn place(service: &str) -> String {
    format!("/doge/rpc/{}/", ServiceKey::new(service))
}
