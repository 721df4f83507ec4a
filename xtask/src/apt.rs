use super::{Step, step::is_there};

/// The steps that install packages of Debian and Ubuntu, by a command of `apt-get` with its name in front.
pub(crate) fn install(what: &'static str, command: &'static str) -> [Step; 2] {
    let lists = |program, arguments| Step::program("the lists of packages", program, arguments);
    let as_root = command
        .strip_prefix("apt-get ")
        .filter(|_| is_there("test", &["-w", "/usr/bin"]));
    match as_root {
        Some(arguments) => [
            lists("apt-get", "update"),
            Step::program(what, "apt-get", arguments),
        ],
        None => [
            lists("sudo", "apt-get update"),
            Step::program(what, "sudo", command),
        ],
    }
}
