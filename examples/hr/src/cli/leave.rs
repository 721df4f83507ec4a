use clap::{Args, Subcommand};

use super::{
    Console, Failure,
    place::{Found, Place},
};
use crate::{
    identity::{EmployeeNumber, RequestKey},
    leave::{Grant, LeaveService, NewRequest, RequestId},
};

/// Grant, request and decide days off
#[derive(Debug, Subcommand)]
pub(super) enum Leave {
    /// Entitle an employee to more days
    Grant(Days),
    /// Ask for days, which are set aside until somebody decides
    Request(Days),
    /// Approve a request
    Approve(Decision),
    /// Reject a request, which frees its days
    Reject(Decision),
    /// Show how an employee stands
    Balance(Whose),
}

#[derive(Args, Debug)]
pub(super) struct Days {
    /// Number of the employee
    employee: EmployeeNumber,
    /// How many days
    days: u32,
    /// Name of this request: said again with the same one, it is done once
    #[arg(long, value_name = "KEY")]
    key: Option<RequestKey>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args, Debug)]
pub(super) struct Decision {
    /// Number of the request
    request: RequestId,
    #[command(flatten)]
    place: Place,
}

#[derive(Args, Debug)]
pub(super) struct Whose {
    /// Number of the employee
    employee: EmployeeNumber,
    #[command(flatten)]
    place: Place,
}

impl Leave {
    pub(super) async fn run(self, console: &mut Console) -> Result<(), Failure> {
        match self.place().leave().await? {
            Found::Here(leave) => {
                let result = self.act(&leave, console).await;
                leave.close().await;
                result
            }
            Found::There(leave) => self.act(&leave, console).await,
        }
    }

    fn place(&self) -> &Place {
        match self {
            Self::Grant(days) | Self::Request(days) => &days.place,
            Self::Approve(decision) | Self::Reject(decision) => &decision.place,
            Self::Balance(whose) => &whose.place,
        }
    }

    async fn act(self, leave: &impl LeaveService, console: &mut Console) -> Result<(), Failure> {
        match self {
            Self::Grant(days) => console.line(leave.grant(days.into()).await?)?,
            Self::Request(days) => console.line(leave.request(days.into()).await?)?,
            Self::Approve(decision) => console.line(leave.approve(decision.request).await?)?,
            Self::Reject(decision) => console.line(leave.reject(decision.request).await?)?,
            Self::Balance(whose) => console.line(leave.balance(whose.employee).await?)?,
        }
        Ok(())
    }
}

impl From<Days> for Grant {
    fn from(days: Days) -> Self {
        Self {
            key: days.key.unwrap_or_else(RequestKey::random),
            employee: days.employee,
            days: days.days,
        }
    }
}

impl From<Days> for NewRequest {
    fn from(days: Days) -> Self {
        Self {
            key: days.key.unwrap_or_else(RequestKey::random),
            employee: days.employee,
            days: days.days,
        }
    }
}
