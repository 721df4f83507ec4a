use tokio::runtime::Handle;

use crate::RegistryError;

/// Runs `work`, which waits for the file system, where it holds up no task.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T, RegistryError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let runtime = Handle::try_current().map_err(|_| RegistryError::NoRuntime)?;
    runtime
        .spawn_blocking(work)
        .await
        .map_err(|_| RegistryError::Stopped)
}
