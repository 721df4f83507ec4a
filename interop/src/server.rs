use std::process::Command;

use doge_test_support::{Process, free_port};
use serde_json::{Value, json};

use crate::{
    LIMIT, Meta,
    programs::{neovim, python},
};

/// A server of somebody else's, which ends with this.
///
/// Those in Python serve `echo(value)`, `sum(a, b)`, `boom()`, which fails with "boom", `empty()`, which fails without a
/// text, `slow(ms)`, `size(bytes)`, `length(value)`, `shown(value)`, which is `repr`, and `count()`, which is how often it was
/// called; with the meta map also `meta()`, which gives it back.
#[derive(Debug)]
pub struct Server {
    /// To be killed or paused. That of dogerpc only ends when it is killed.
    pub process: Process,
    /// Where it listens on 127.0.0.1; below those of outgoing connections, so that it can be started there again.
    pub port: u16,
    meta: Meta,
}

impl Server {
    /// One of mprpc, once it listens.
    ///
    /// # Panics
    ///
    /// When it does not come up, as all of these.
    #[track_caller]
    pub fn mprpc(meta: Meta) -> Self {
        Self::mprpc_at(free_port(), meta, &[])
    }

    /// One of mprpc at this port; `--limit-conn`, `N` makes it serve no more than that many connections at a time.
    #[track_caller]
    pub fn mprpc_at(port: u16, meta: Meta, options: &[&str]) -> Self {
        let mut command = python("server.py");
        command.args([meta.option(), "--port", &port.to_string()]);
        Self::start(command.args(options), meta)
    }

    /// One of the published dogerpc, registered as this node of the service.
    #[track_caller]
    pub fn dogerpc(registry: &Value, service: &str, node: &str) -> Self {
        Self::dogerpc_at(free_port(), registry, service, node)
    }

    /// One of the published dogerpc at this port.
    #[track_caller]
    pub fn dogerpc_at(port: u16, registry: &Value, service: &str, node: &str) -> Self {
        let settings = json!({
            "registry": registry,
            "service": {"name": service, "node": node, "host": "127.0.0.1", "port": port},
        });
        Self::start(
            python("doge_server.py").arg(settings.to_string()),
            Meta::Absent,
        )
    }

    /// A neovim, whose API the methods are: `nvim_eval`, `nvim_exec_lua` and so on.
    #[track_caller]
    pub fn neovim() -> Self {
        let port = free_port();
        let ready = format!("lua io.stdout:write('ready {port}\\n') io.stdout:flush()");
        let mut command = neovim(&ready);
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
        Self::start(&mut command, Meta::Absent)
    }

    /// Its address with the scheme of its dialect, such as `doge://127.0.0.1:4399`.
    pub fn address(&self) -> String {
        format!("{}://127.0.0.1:{}", self.meta.scheme(), self.port)
    }

    #[track_caller]
    fn start(command: &mut Command, meta: Meta) -> Self {
        let mut process = Process::start(command);
        let ready = process.line(LIMIT, |line| line.starts_with("ready "));
        let port = ready["ready ".len()..].parse().unwrap();
        Self {
            process,
            port,
            meta,
        }
    }
}
