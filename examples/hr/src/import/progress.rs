use std::{fs::File, io::Read};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far a file is read: a bar on the standard error when that is a terminal, and nothing otherwise.
#[derive(Clone, Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for people.
    #[must_use]
    pub fn on_terminal() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self { bar }
    }

    /// No bar.
    #[must_use]
    pub fn hidden() -> Self {
        let bar = ProgressBar::hidden();
        Self { bar }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The file, as it is seen being read.
    pub(super) fn reading(&self, file: File, length: u64) -> impl Read + use<> {
        let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg}");
        self.bar
            .set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_length(length);
        self.bar.wrap_read(file)
    }
}
