use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

/// More than etcd itself waits for a leader.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// The API that etcd had before version 3, as Python doge speaks it: plain HTTP, and paths such as
/// `/doge/rpc/service/node`.
#[derive(Clone, Debug)]
pub struct EtcdV2 {
    addresses: Vec<String>,
}

impl EtcdV2 {
    pub(super) fn new(addresses: Vec<String>) -> Self {
        Self { addresses }
    }

    /// Sets a key as Python doge does, with a time to live in seconds.
    ///
    /// # Panics
    ///
    /// When etcd refuses.
    pub fn set(&self, key: &str, value: &str, ttl: u64) -> Value {
        self.call("PUT", key, &format!("value={value}&ttl={ttl}"))
    }

    /// Puts a form of one's own, such as `value=a:1&prevExist=true`.
    ///
    /// # Panics
    ///
    /// When etcd refuses.
    pub fn put(&self, key: &str, form: &str) -> Value {
        self.call("PUT", key, form)
    }

    /// Deletes a key, or with `?recursive=true` a directory.
    ///
    /// # Panics
    ///
    /// When etcd refuses, as it does when the key is not there.
    pub fn delete(&self, key: &str) -> Value {
        self.call("DELETE", key, "")
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<String> {
        let answer = self.answer("GET", key, "");
        let value = answer.pointer("/node/value")?;
        Some(value.as_str()?.to_owned())
    }

    /// The keys in a directory and their values, in their order.
    pub fn list(&self, directory: &str) -> Vec<(String, String)> {
        let answer = self.answer("GET", directory, "");
        let nodes = answer.pointer("/node/nodes").and_then(Value::as_array);
        let text = |node: &Value, name: &str| node[name].as_str().unwrap_or_default().to_owned();
        let mut found: Vec<_> = nodes
            .into_iter()
            .flatten()
            .map(|node| (text(node, "key"), text(node, "value")))
            .collect();
        found.sort();
        found
    }

    /// The index of the latest change.
    pub fn index(&self) -> u64 {
        // The answer to what is not there is the only one that has it in the body.
        let answer = self.answer("GET", "/there/is/no/such/key", "");
        answer["index"].as_u64().unwrap()
    }

    /// What happened below a directory after `index`, as `action key`, in the order that a client of doge is told of
    /// it.
    ///
    /// # Panics
    ///
    /// When etcd has forgotten it.
    pub fn events(&self, directory: &str, index: u64) -> Vec<String> {
        // The last event is one of this, so that no wait is for nothing.
        let mark = format!("{directory}/the-end-of-it");
        let last = self.put(&mark, "value=here");
        let last = last["node"]["modifiedIndex"].as_u64().unwrap();
        self.delete(&mark);
        let mut events = Vec::new();
        let mut next = index + 1;
        loop {
            let wait = format!("{directory}?wait=true&recursive=true&waitIndex={next}");
            let event = self.call("GET", &wait, "");
            let at = event["node"]["modifiedIndex"].as_u64().unwrap();
            if at >= last {
                return events;
            }
            let (action, key) = (&event["action"], &event["node"]["key"]);
            events.push(format!(
                "{} {}",
                action.as_str().unwrap(),
                key.as_str().unwrap()
            ));
            next = at + 1;
        }
    }

    fn call(&self, method: &str, key: &str, form: &str) -> Value {
        let answer = self.answer(method, key, form);
        assert!(
            answer.get("errorCode").is_none(),
            "{method} {key} {form}: {answer}"
        );
        answer
    }

    /// Of the first member that answers, be it a refusal.
    fn answer(&self, method: &str, key: &str, form: &str) -> Value {
        let mut failures = Vec::new();
        for address in &self.addresses {
            match exchange(address, method, key, form) {
                Ok(answer) => return answer,
                Err(error) => failures.push(format!("{address}: {error}")),
            }
        }
        panic!("{method} {key} {form}: {failures:?}");
    }
}

fn exchange(address: &str, method: &str, key: &str, form: &str) -> io::Result<Value> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
    let length = form.len();
    let request = format!(
        "{method} /v2/keys{key} HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok(serde_json::from_str(body)?)
}
