use doge_test_support::Process;
use serde_json::{Value, json};

use crate::{
    LIMIT,
    programs::{neovim_script, python},
};

/// A client of somebody else's, which makes the calls that it is told to, one after the other.
#[derive(Debug)]
pub struct Caller {
    /// To be paused, or to look at what it has said.
    pub process: Process,
}

impl Caller {
    /// One of mprpc, with one connection to this port.
    ///
    /// It adds no meta map: where that is wanted, it is the first of the parameters.
    #[track_caller]
    pub fn mprpc(port: u16) -> Self {
        let mut command = python("client.py");
        // It sends what it is told, either way.
        command.args(["calls", "--no-meta", "--port", &port.to_string()]);
        Self {
            process: Process::start(&mut command),
        }
    }

    /// One of the published dogerpc, with a registry and its own settings, such as
    /// `{"haStrategy": "failover", "sum.retries": 1}`.
    #[track_caller]
    pub fn dogerpc(registry: &Value, refer: &Value, service: &str) -> Self {
        let settings = json!({"registry": registry, "refer": refer});
        let mut command = python("doge_client.py");
        command.args([&settings.to_string(), service]);
        Self {
            process: Process::start(&mut command),
        }
    }

    /// A neovim that is connected to this port.
    #[track_caller]
    pub fn neovim(port: u16) -> Self {
        let mut command = neovim_script("client.lua");
        command.env("PEER", format!("127.0.0.1:{port}"));
        Self {
            process: Process::start(&mut command),
        }
    }

    /// Makes a call with an array of parameters; an error is what the client raises, with its type before it in Python.
    ///
    /// Bytes come as Python writes them.
    ///
    /// # Panics
    ///
    /// When it does not come back, which is no error of the call.
    #[track_caller]
    pub fn call(&mut self, method: &str, parameters: Value) -> Result<Value, String> {
        let mut call = vec![json!(method)];
        call.extend_from_slice(parameters.as_array().unwrap());
        self.process.say(&Value::from(call).to_string());
        let line = self.process.line(LIMIT, |line| line.starts_with('{'));
        let outcome: Value = serde_json::from_str(&line).unwrap();
        match outcome.get("error") {
            Some(error) => Err(error.as_str().unwrap().to_owned()),
            None => Ok(outcome["result"].clone()),
        }
    }

    /// Sends a notification, which has no answer; only neovim can.
    #[track_caller]
    pub fn tell(&mut self, method: &str, parameters: Value) {
        self.call(&format!("!{method}"), parameters).unwrap();
    }
}
