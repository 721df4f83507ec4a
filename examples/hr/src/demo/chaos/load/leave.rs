use std::time::Instant;

use fastrand::Rng;

use super::{Load, reads::expect};
use crate::{
    demo::chaos::tally::{Call, Failed},
    identity::{EmployeeNumber, RequestKey},
    leave::{LeaveError, LeaveRequest, LeaveService as _, NewRequest, RequestState},
};

impl Load<'_> {
    /// Asks for a day and has it rejected, which leaves things as they were, if each is done once.
    pub(super) async fn take_leave(&self, mut random: Rng) {
        while self.goes_on(&mut random).await {
            let employee = self.somebody(&mut random).number;
            let Some(request) = self.request(employee).await else {
                continue;
            };
            let began = Instant::now();
            let rejected = self.clients.leave.reject(request.id).await;
            let as_wanted = rejected.map_err(Failed::from).and_then(|rejected| {
                expect(rejected.state == RequestState::Rejected, || {
                    rejected.to_string()
                })
            });
            self.record(Call::Reject, began, as_wanted);
        }
    }

    async fn request(&self, employee: EmployeeNumber) -> Option<LeaveRequest> {
        let began = Instant::now();
        let request = NewRequest {
            key: RequestKey::random(),
            employee,
            days: 1,
        };
        let made: Result<_, LeaveError> = self.clients.leave.request(request).await;
        let (made, result) = match made {
            Ok(made) => (Some(made), Ok(())),
            Err(error) => (None, Err(error.into())),
        };
        self.record(Call::Request, began, result);
        made
    }
}
