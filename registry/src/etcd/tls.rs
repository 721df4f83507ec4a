use std::path::{Path, PathBuf};
use std::{fs, io};

use etcd_client::{Certificate, Identity, TlsOptions};

use crate::RegistryError;

/// TLS to etcd: which certificates are trusted, and the one this side shows (mTLS).
///
/// The files are PEM and read anew for each connection that is made after a failure, so that
/// renewed certificates need no restart.
///
/// ```
/// use doge_registry::{Etcd, EtcdTls};
///
/// let tls = EtcdTls::new().ca_file("/etc/doge/ca.pem").identity_files("/etc/doge/me.pem", "/etc/doge/me.key");
/// let registry = Etcd::builder(["etcd-1:2379", "etcd-2:2379"]).tls(tls).build()?;
/// # Ok::<(), doge_registry::RegistryError>(())
/// ```
#[must_use = "give it to EtcdBuilder::tls"]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EtcdTls {
    ca: Option<PathBuf>,
    identity: Option<(PathBuf, PathBuf)>,
    server_name: Option<String>,
}

impl EtcdTls {
    /// The certificates that the system trusts, and none of one's own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the certificates in this file, instead of those of the system.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca = Some(path.into());
        self
    }

    /// Shows the certificate in the first file, whose private key is in the second.
    pub fn identity_files(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.identity = Some((certificate.into(), key.into()));
        self
    }

    /// The name to expect in the certificate of etcd: the host of the endpoint unless set.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Reads the files.
    pub(super) fn options(&self) -> Result<TlsOptions, RegistryError> {
        let mut options = match &self.ca {
            Some(path) => TlsOptions::new().ca_certificate(Certificate::from_pem(read(path)?)),
            None => TlsOptions::new().with_enabled_roots(),
        };
        if let Some((certificate, key)) = &self.identity {
            options = options.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        if let Some(name) = &self.server_name {
            options = options.domain_name(name);
        }
        Ok(options)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, RegistryError> {
    fs::read(path).map_err(|cause: io::Error| RegistryError::Io {
        doing: "read the PEM file for TLS",
        path: path.to_owned(),
        cause,
        mend: "name a file that this process may read",
    })
}
