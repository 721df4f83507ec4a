use std::{
    borrow::Cow,
    env,
    ffi::OsStr,
    fmt, io,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
};

/// One command, run in the root of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    what: Cow<'static, str>,
    program: &'static str,
    /// Arguments of the program; none of them has a space in it.
    arguments: Cow<'static, str>,
    variable: Option<(&'static str, &'static str)>,
}

impl Step {
    /// `cargo` with these arguments; `what` says what comes of it.
    pub(crate) const fn cargo(what: &'static str, arguments: &'static str) -> Self {
        Self::program(what, CARGO, arguments)
    }

    /// Any other program.
    pub(crate) const fn program(
        what: &'static str,
        program: &'static str,
        arguments: &'static str,
    ) -> Self {
        Self {
            what: Cow::Borrowed(what),
            program,
            arguments: Cow::Borrowed(arguments),
            variable: None,
        }
    }

    /// `cargo` with arguments that are found out.
    pub(crate) fn found_out(what: String, arguments: String) -> Self {
        Self {
            what: Cow::Owned(what),
            program: CARGO,
            arguments: Cow::Owned(arguments),
            variable: None,
        }
    }

    /// Sets an environment variable for the command.
    pub(crate) const fn with_variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variable = Some((name, value));
        self
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Runs the command to its end; what it prints goes where ours goes.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) fn run(&self) -> io::Result<ExitStatus> {
        self.command().status()
    }

    /// Runs the command to its end, and takes what it prints; its complaints go where ours go.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) fn capture(&self) -> io::Result<Output> {
        self.command().stderr(Stdio::inherit()).output()
    }

    /// Starts the command, with pipes for what it prints.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) fn spawn_piped(&self) -> io::Result<Child> {
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn()
    }

    pub(crate) fn name(&self) -> &'static str {
        self.program
    }

    fn command(&self) -> Command {
        let mut command = command(self.program);
        command.args(self.arguments.split(' ')).envs(self.variable);
        command
    }
}

/// As a shell takes it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, value)) = self.variable {
            write!(f, "{name}='{value}' ")?;
        }
        write!(f, "{} {}", self.program, self.arguments)
    }
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    Path::new(ROOT)
}

/// Whether a program is there and answers.
pub(crate) fn is_there(program: &str, arguments: &[&str]) -> bool {
    command(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program prints when it is there and succeeds.
pub(crate) fn output(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = command(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().into())
}

const CARGO: &str = "cargo";

/// A command in the root of the workspace; cargo is the one that runs this program.
fn command(program: impl AsRef<OsStr>) -> Command {
    let program = program.as_ref();
    let cargo = env::var_os("CARGO").filter(|_| program == CARGO);
    let mut command = Command::new(cargo.as_deref().unwrap_or(program));
    command.current_dir(root());
    command
}
