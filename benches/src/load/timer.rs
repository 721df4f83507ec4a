use std::{io, time::Instant};

/// Sleeps by the microsecond, where tokio's own timers sleep by the millisecond: at 500,000 calls per second that would be
/// 500 calls at once, and their latency that of a burst.
#[cfg(target_os = "linux")]
pub(super) struct Timer(tokio_timerfd::Delay);

#[cfg(target_os = "linux")]
impl Timer {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(tokio_timerfd::Delay::new(Instant::now())?))
    }

    pub(super) async fn until(&mut self, time: Instant) -> io::Result<()> {
        self.0.reset(time);
        (&mut self.0).await
    }
}

/// Where there is no timerfd, bursts have to do.
#[cfg(not(target_os = "linux"))]
pub(super) struct Timer;

#[cfg(not(target_os = "linux"))]
impl Timer {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn until(&mut self, time: Instant) -> io::Result<()> {
        Ok(tokio::time::sleep_until(time.into()).await)
    }
}
