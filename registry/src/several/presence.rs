use futures_util::future::{BoxFuture, join_all};

use crate::{Leave, Registration, RegistryError};

/// An instance in all of several registries.
#[derive(Debug)]
pub(super) struct Presence {
    /// Each with its place among the registries, from 0.
    registrations: Vec<(usize, Registration)>,
    registries: usize,
}

impl Presence {
    /// The presence that these registrations are together, in the order of their registries.
    ///
    /// # Errors
    ///
    /// When one is missing: what the first that is says. The others have been left then.
    pub(super) async fn in_all(
        announced: Vec<Result<Registration, RegistryError>>,
    ) -> Result<Self, RegistryError> {
        let registries = announced.len();
        let mut errors = Vec::new();
        let mut presence = Self {
            registrations: Vec::with_capacity(registries),
            registries,
        };
        for (index, registered) in announced.into_iter().enumerate() {
            match registered {
                Ok(registration) => presence.registrations.push((index, registration)),
                Err(error) => errors.push(RegistryError::one_of(index, registries, error)),
            }
        }
        let Some(failed) = first(errors) else {
            return Ok(presence);
        };
        if let Err(error) = presence.leave_all().await {
            tracing::warn!(%error, "a registration cannot be taken back");
        }
        Err(failed)
    }

    /// Leaves all at the same time, those behind one that cannot be left too.
    async fn leave_all(self) -> Result<(), RegistryError> {
        let registries = self.registries;
        let each = self.registrations.into_iter();
        let left = each.map(async |(index, registration)| {
            let left = registration.leave().await;
            left.map_err(|error| RegistryError::one_of(index, registries, error))
        });
        let errors = join_all(left).await.into_iter().filter_map(Result::err);
        first(errors).map_or(Ok(()), Err)
    }
}

impl Leave for Presence {
    fn leave(self: Box<Self>) -> BoxFuture<'static, Result<(), RegistryError>> {
        Box::pin(self.leave_all())
    }

    fn abandon(self: Box<Self>) {
        // Each registration leaves as it is dropped.
    }
}

/// The first of these, which can be returned; the others are logged.
fn first(errors: impl IntoIterator<Item = RegistryError>) -> Option<RegistryError> {
    let mut errors = errors.into_iter();
    let first = errors.next();
    for error in errors {
        tracing::warn!(%error, "another registry failed too");
    }
    first
}
