use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use thiserror::Error;

use crate::RegistryError;

/// Why a look found no instances.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Failure {
    /// The name servers have answered, and there is nothing to be had.
    #[error("{0}")]
    Absent(String),
    /// There are records, of which none can be used.
    #[error("{0}")]
    Unusable(String),
    /// The name servers have not answered, or could not.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    pub(super) fn mend(&self) -> &'static str {
        match self {
            Self::Absent(_) | Self::Unusable(_) => {
                "check the name, and that the instances are among its records; `dig` shows what the name servers answer"
            }
            Self::Failed(_) => {
                "check that the name servers can be reached and know the name; `dig` shows what they answer"
            }
        }
    }

    /// For those who asked for a watch.
    pub(super) fn report(&self, servers: String) -> RegistryError {
        RegistryError::Remote {
            doing: "look the name up",
            endpoints: servers,
            cause: self.to_string(),
            mend: self.mend(),
        }
    }
}

/// What a server answers when it answers without records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nothing {
    /// NXDOMAIN.
    NoName,
    /// The name has no records of the kind.
    NoRecords,
}

/// What an error of the resolver says: an answer without records, or what failed.
pub(super) fn read(error: &NetError) -> Result<Nothing, String> {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(found)) => Ok(match found.response_code {
            ResponseCode::NXDomain => Nothing::NoName,
            _ => Nothing::NoRecords,
        }),
        NetError::Dns(DnsError::ResponseCode(code)) => Err(format!("the answer is {code}")),
        NetError::Timeout => Err("there is no answer in time".to_owned()),
        other => Err(other.to_string()),
    }
}

/// The failure of a name that has no records of this kind.
pub(super) fn absent(nothing: Nothing, kind: &str) -> Failure {
    Failure::Absent(match nothing {
        Nothing::NoName => "does not exist (NXDOMAIN)".to_owned(),
        Nothing::NoRecords => format!("has no {kind}"),
    })
}
