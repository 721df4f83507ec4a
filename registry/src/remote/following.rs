use std::sync::Arc;

use crate::sources::Sources;
use crate::{Publisher, ServiceKey};

/// Follows one service in a server elsewhere, as long as anyone watches it.
pub(crate) trait Following: Send + Sized + 'static {
    /// The service.
    fn key(&self) -> &ServiceKey;

    /// Those who watch it.
    fn publisher(&self) -> &Arc<Publisher>;

    /// One way through: it may end, or be dropped in the middle, and goes on with what was known.
    fn session(&mut self) -> impl Future<Output = ()> + Send;

    /// Sets it to work, until nobody watches any more.
    fn spawn(mut self, sources: &Arc<Sources>) {
        let (sources, key) = (Arc::clone(sources), self.key().clone());
        let publisher = Arc::clone(self.publisher());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    () = publisher.unwatched() => {
                        if sources.ends(&key, &publisher) {
                            return;
                        }
                    }
                    () = self.session() => {}
                }
            }
        });
    }
}
