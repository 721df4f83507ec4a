use std::{
    env, fmt, io,
    path::Path,
    process::{Command, ExitStatus},
};

/// One command, run in the root of the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    what: &'static str,
    /// Arguments of cargo; none of them has a space in it.
    arguments: &'static str,
    variable: Option<(&'static str, &'static str)>,
}

impl Step {
    /// `cargo` with these arguments; `what` says what comes of it.
    pub(crate) const fn cargo(what: &'static str, arguments: &'static str) -> Self {
        Self {
            what,
            arguments,
            variable: None,
        }
    }

    /// Sets an environment variable for the command.
    pub(crate) const fn with_variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variable = Some((name, value));
        self
    }

    pub(crate) fn what(&self) -> &'static str {
        self.what
    }

    /// Runs the command to its end; what it prints goes where ours goes.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) fn run(&self) -> io::Result<ExitStatus> {
        let mut command = cargo();
        command.args(self.arguments.split(' ')).envs(self.variable);
        command.status()
    }
}

/// As a shell takes it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, value)) = self.variable {
            write!(f, "{name}='{value}' ")?;
        }
        write!(f, "cargo {}", self.arguments)
    }
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    Path::new(ROOT)
}

/// The cargo that runs this program, in the root of the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
