use std::time::Duration;

use tokio::time::Instant;

/// Tells a connection that was lost from one that never held: a server that says hello and hangs up must not be
/// connected to without a pause.
#[derive(Debug, Default)]
pub(super) struct FlapDetector {
    opened: Option<Instant>,
    /// Connections in a row that were lost sooner than a failed attempt would have paused.
    early: u32,
}

/// So many early losses are free of a pause, for the sake of calls that are sent again over a fresh connection.
const FREE: u32 = super::MAX_RESENDS as u32;

impl FlapDetector {
    /// There is a connection.
    pub(super) fn opened(&mut self, now: Instant) {
        self.opened = Some(now);
    }

    /// It is gone, and that says nothing of the server.
    pub(super) fn forget(&mut self) {
        self.opened = None;
    }

    /// It is gone. The pause that is due since it was opened, by the number of failures that it counts as; `None` for
    /// no pause.
    pub(super) fn lost(
        &mut self,
        now: Instant,
        pause: impl Fn(u32) -> Duration,
    ) -> Option<(u32, Duration)> {
        let lived = now.saturating_duration_since(self.opened.take()?);
        let paused = pause((self.early + 1).saturating_sub(FREE).max(1));
        if lived >= paused {
            self.early = 0;
            return None;
        }
        self.early = self.early.saturating_add(1);
        let failures = self.early.checked_sub(FREE).filter(|it| *it > 0)?;
        Some((failures, paused - lived))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::FlapDetector;

    const MS: Duration = Duration::from_millis(1);

    fn pause(failures: u32) -> Duration {
        100 * MS * failures
    }

    #[test]
    fn connections_that_never_hold_come_after_growing_pauses() {
        let (mut flap_detector, mut now) = (FlapDetector::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..6 {
            flap_detector.opened(now);
            now += 5 * MS;
            pauses.push(flap_detector.lost(now, pause));
        }
        let due = |failures| Some((failures, pause(failures) - 5 * MS));
        assert_eq!(pauses, [None, None, None, due(1), due(2), due(3)]);
    }

    #[test]
    fn one_that_held_ends_the_row() {
        let (mut flap_detector, mut now) = (FlapDetector::default(), Instant::now());
        for lived in [MS, MS, MS, MS, 250 * MS, MS, MS, MS] {
            flap_detector.opened(now);
            now += lived;
            flap_detector.lost(now, pause);
        }
        flap_detector.opened(now);
        assert_eq!(flap_detector.lost(now + MS, pause), Some((1, 99 * MS)));
        assert_eq!(
            flap_detector.lost(now + MS, pause),
            None,
            "it was told once"
        );
    }
}
