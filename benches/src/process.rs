use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde::de::DeserializeOwned;

use crate::Error;

/// This program once more, with other arguments, in a process to talk to line by line. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Self, Error> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a process without pipes".into());
        };
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn tell(&mut self, line: &str) -> Result<(), Error> {
        Ok(writeln!(self.input, "{line}")?)
    }

    /// Waits for a line.
    pub(crate) fn line(&mut self) -> Result<String, Error> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("the process has ended".into());
        }
        Ok(line.trim_end().into())
    }

    /// Waits for a line of JSON.
    pub(crate) fn value<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        Ok(serde_json::from_str(&self.line()?)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left to do when it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
