//! TLS, and mTLS.

use std::fs;
use std::path::{Path, PathBuf};

use doge_registry::{EtcdTls, Registry, open};
use doge_test_support::Etcd;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::common::{builder, instance, key, until_at, watch};

/// Certificates made for one test: an authority, one for etcd, and one for its clients.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = CertifiedIssuer::self_signed(authority, key).unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        issue(
            &authority,
            folder.path(),
            "server",
            &["127.0.0.1", "etcd.test"],
        );
        issue(&authority, folder.path(), "client", &["hr"]);
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn etcd(&self, ask_clients: bool) -> Etcd {
        let mut arguments = vec![
            format!("--cert-file={}", self.text("server.pem")),
            format!("--key-file={}", self.text("server.key")),
        ];
        if ask_clients {
            arguments.push("--client-cert-auth".to_owned());
            arguments.push(format!("--trusted-ca-file={}", self.text("ca.pem")));
        }
        Etcd::options().tls().arguments(arguments).start()
    }
}

fn issue(authority: &CertifiedIssuer<'_, KeyPair>, folder: &Path, name: &str, subjects: &[&str]) {
    let subjects: Vec<String> = subjects.iter().map(|&subject| subject.to_owned()).collect();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(subjects).unwrap();
    let certificate = certificate.signed_by(&key, authority).unwrap();
    fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn etcd_is_trusted_by_its_certificate() {
    let certificates = Certificates::make();
    let etcd = certificates.etcd(false);
    let tls = EtcdTls::new().ca_file(certificates.path("ca.pem"));
    for tls in [tls.clone(), tls.clone().server_name("etcd.test")] {
        let registry = builder(&etcd).tls(tls).build().unwrap();
        let mut watch = watch(&registry).await;
        let registration = registry.register(instance("tcp://a:1")).await.unwrap();
        until_at(&mut watch, &["tcp://a:1"]).await;
        registration.leave().await.unwrap();
    }
    for wrong in [tls.server_name("other.test"), EtcdTls::new()] {
        let registry = builder(&etcd).tls(wrong).build().unwrap();
        let error = registry.watch(key()).await.unwrap_err().to_string();
        assert!(error.contains("ertificate"), "{error}");
    }
    let missing = builder(&etcd)
        .tls(EtcdTls::new().ca_file("/nowhere.pem"))
        .build()
        .unwrap();
    let error = missing.watch(key()).await.unwrap_err().to_string();
    assert!(error.contains("/nowhere.pem"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_known_by_theirs() {
    let certificates = Certificates::make();
    let etcd = certificates.etcd(true);
    let url = format!(
        "etcds://{}?ttl=2s&ca={}&cert={}&key={}",
        etcd.addresses()[0],
        certificates.text("ca.pem"),
        certificates.text("client.pem"),
        certificates.text("client.key"),
    );
    let registry = open(&url).unwrap();
    let mut watch = registry.watch(key()).await.unwrap();
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    registration.leave().await.unwrap();

    let unknown = EtcdTls::new().ca_file(certificates.path("ca.pem"));
    let unknown = builder(&etcd).tls(unknown).build().unwrap();
    assert!(unknown.watch(key()).await.is_err());
}
