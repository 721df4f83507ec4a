//! The plot: what is done, and what has to come of it.

mod employees;
mod leave;
mod onboarding;
mod unexpected;

use super::{deployment::Clients, people, report::Report};

pub use self::unexpected::Unexpected;

pub(super) struct Script<'a> {
    clients: Clients,
    report: &'a mut Report,
}

impl<'a> Script<'a> {
    pub(super) fn new(clients: Clients, report: &'a mut Report) -> Self {
        Self { clients, report }
    }

    /// Plays it to the end, or to the first step that did not go as it should.
    pub(super) async fn play(mut self) -> Result<(), Unexpected> {
        let ada = self.onboard(people::newcomer("Ada", 36, 30)).await?;
        let grace = self.onboard(people::newcomer("Grace", 41, 25)).await?;
        self.onboard_too_much_leave(people::newcomer("Bob", 52, 90))
            .await?;
        self.take_leave(ada, 10).await?;
        self.be_refused_leave(ada, 5).await?;
        self.overdraw(ada).await?;
        self.transfer(grace).await?;
        self.list_in_pages().await?;
        self.terminate(grace).await?;
        self.transfer_in_vain(grace).await
    }
}
