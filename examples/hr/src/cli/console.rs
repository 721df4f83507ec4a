use std::{
    fmt::Display,
    io::{self, Stderr, Stdout, Write as _},
};

/// Where a command says what it has to say.
#[derive(Debug)]
pub(crate) struct Console {
    out: Stdout,
    err: Stderr,
}

impl Console {
    pub(crate) fn new() -> Self {
        Self {
            out: io::stdout(),
            err: io::stderr(),
        }
    }

    /// A result, for people or programs.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// A remark beside the result.
    pub(crate) fn note(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.err, "{text}")
    }
}
