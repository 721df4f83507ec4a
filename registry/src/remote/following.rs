use std::sync::Arc;

use crate::sources::Sources;
use crate::{Publisher, RegistryError, ServiceKey, Watch};

/// A watch of the follower of `key`: of the follower at work, or else of the one that `start` makes.
pub(crate) async fn watch<F: Following>(
    sources: &Arc<Sources>,
    key: &ServiceKey,
    start: impl Future<Output = Result<F, RegistryError>>,
) -> Result<Watch, RegistryError> {
    if let Some(watch) = sources.join(key) {
        return Ok(watch);
    }
    let follower = start.await?;
    let publisher = Arc::clone(follower.publisher());
    Ok(sources.join_or_start(key, &publisher, || follower.spawn(sources)))
}

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
