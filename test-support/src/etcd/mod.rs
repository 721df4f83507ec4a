mod gateway;
mod member;
mod options;
mod v2;

use std::time::Duration;

use tempfile::TempDir;

use self::gateway::Gateway;
use self::member::Member;
pub use self::options::EtcdOptions;
pub use self::v2::EtcdV2;

/// Far more than a member takes to be there, on a machine with other work to do.
const HEALTHY_WITHIN: Duration = Duration::from_secs(30);

/// An etcd of one or more members on loopback, with folders of its own; gone when this is dropped.
///
/// It elects quickly, so that leases may be as short as 1 s with one member and 2 s with several. Needs the program
/// `etcd` (package `etcd-server` on Debian) in the path.
///
/// ```no_run
/// use doge_test_support::Etcd;
///
/// let mut etcd = Etcd::start();
/// etcd.put("/a/key", "value");
/// assert_eq!(etcd.keys("/a/"), ["/a/key"]);
/// etcd.pause(0);
/// etcd.resume(0);
/// etcd.stop(0);
/// etcd.restart(0);
/// assert_eq!(etcd.get("/a/key").as_deref(), Some("value"));
/// ```
#[derive(Debug)]
pub struct Etcd {
    members: Vec<Member>,
    scheme: &'static str,
}

impl Etcd {
    /// One member, healthy when this returns.
    ///
    /// # Panics
    ///
    /// When etcd is not there or does not become healthy.
    pub fn start() -> Self {
        EtcdOptions::new().start()
    }

    /// Several members, all of them healthy when this returns.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn members(count: usize) -> Self {
        EtcdOptions::new().members(count).start()
    }

    /// Other settings.
    pub fn options() -> EtcdOptions {
        EtcdOptions::new()
    }

    /// Where clients connect to, as `http://127.0.0.1:PORT`, one per member, running or not.
    pub fn endpoints(&self) -> Vec<String> {
        self.addresses()
            .iter()
            .map(|address| format!("{}://{address}", self.scheme))
            .collect()
    }

    /// The same as `127.0.0.1:PORT`.
    pub fn addresses(&self) -> Vec<String> {
        self.members.iter().map(Member::address).collect()
    }

    /// What [`doge_registry::open`](https://docs.rs/doge-registry) takes: `etcd://127.0.0.1:PORT,127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("etcd://{}", self.addresses().join(","))
    }

    /// The API of version 2, if the etcd was started [with it](EtcdOptions::v2).
    pub fn v2(&self) -> EtcdV2 {
        EtcdV2::new(self.running())
    }

    /// Stops a member in good order (`SIGTERM`); its data stay.
    pub fn stop(&mut self, member: usize) {
        self.members[member].stop();
    }

    /// Kills a member (`SIGKILL`); its data stay.
    pub fn kill(&mut self, member: usize) {
        self.members[member].kill();
    }

    /// Starts a stopped or killed member again with its data and address, and waits until it is healthy.
    pub fn restart(&mut self, member: usize) {
        let member = &mut self.members[member];
        member.start();
        // Its ports were free for all while it was away.
        while !member.becomes_healthy(HEALTHY_WITHIN) {
            member.start();
        }
    }

    /// Removes the data of a stopped or killed member.
    pub fn wipe(&mut self, member: usize) {
        self.members[member].wipe();
    }

    /// A copy of the data of a stopped or killed member.
    pub fn backup(&self, member: usize) -> TempDir {
        self.members[member].backup()
    }

    /// Gives a stopped or killed member the data of a [`backup`](Self::backup).
    pub fn restore(&mut self, member: usize, backup: &TempDir) {
        self.members[member].restore(backup);
    }

    /// Halts a member (`SIGSTOP`): connections stay open, nothing answers.
    pub fn pause(&self, member: usize) {
        self.members[member].pause();
    }

    /// Lets a paused member go on (`SIGCONT`).
    pub fn resume(&self, member: usize) {
        self.members[member].resume();
    }

    /// All that a member has logged since it was last started.
    pub fn log(&self, member: usize) -> String {
        self.members[member].log()
    }

    /// Puts a key, without lease.
    pub fn put(&self, key: &str, value: &str) {
        self.gateway().put(key, value);
    }

    /// Puts a key that is there, on the lease that it has.
    pub fn put_keeping_lease(&self, key: &str, value: &str) {
        self.gateway().put_keeping_lease(key, value);
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<String> {
        self.gateway().get(key)
    }

    /// All keys that begin with `prefix`, in their order.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.gateway().keys(prefix)
    }

    /// Deletes a key.
    pub fn delete(&self, key: &str) {
        self.gateway().delete(key);
    }

    /// Deletes all keys that begin with `prefix`.
    pub fn delete_prefix(&self, prefix: &str) {
        self.gateway().delete_prefix(prefix);
    }

    /// The latest revision.
    pub fn revision(&self) -> i64 {
        self.gateway().revision()
    }

    /// Forgets the history up to the latest revision.
    pub fn compact(&self) {
        self.gateway().compact();
    }

    /// The ids of all leases.
    pub fn leases(&self) -> Vec<i64> {
        self.gateway().leases()
    }

    /// Revokes all leases.
    pub fn revoke_all(&self) {
        let gateway = self.gateway();
        for lease in gateway.leases() {
            gateway.revoke(lease);
        }
    }

    /// Gives the space of compacted revisions back and clears the alarm of a full quota.
    pub fn make_room(&self) {
        let gateway = self.gateway();
        gateway.compact();
        gateway.call("/v3/maintenance/defragment", &serde_json::json!({}));
        gateway.disarm();
    }

    /// A figure of the first member that runs, such as `etcd_debugging_mvcc_watcher_total`.
    ///
    /// # Panics
    ///
    /// When it has no such figure.
    pub fn metric(&self, name: &str) -> f64 {
        let running = self.members.iter().find(|member| member.is_up());
        running.and_then(|member| member.metric(name)).unwrap()
    }

    /// Calls the JSON gateway of the first member that answers: a path such as `/v3/auth/enable`, and the request.
    ///
    /// # Panics
    ///
    /// When etcd refuses; not available with TLS.
    pub fn call(&self, path: &str, request: &serde_json::Value) -> serde_json::Value {
        self.gateway().call(path, request)
    }

    fn gateway(&self) -> Gateway {
        Gateway::new(self.running())
    }

    fn running(&self) -> Vec<String> {
        let running = self.members.iter().filter(|member| member.is_up());
        running.map(Member::address).collect()
    }
}
