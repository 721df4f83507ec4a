use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// More than etcd itself waits for a leader.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// The JSON gateway of etcd, which asks for no more than a socket: this crate builds without protoc.
pub(super) struct Gateway {
    addresses: Vec<String>,
}

impl Gateway {
    pub(super) fn new(addresses: Vec<String>) -> Self {
        Self { addresses }
    }

    pub(super) fn put(&self, key: &str, value: &str) {
        self.call(
            "/v3/kv/put",
            &json!({"key": encode(key), "value": encode(value)}),
        );
    }

    pub(super) fn put_keeping_lease(&self, key: &str, value: &str) {
        let request = json!({"key": encode(key), "value": encode(value), "ignore_lease": true});
        self.call("/v3/kv/put", &request);
    }

    pub(super) fn get(&self, key: &str) -> Option<String> {
        let answer = self.call("/v3/kv/range", &json!({"key": encode(key)}));
        let found = answer.pointer("/kvs/0")?;
        // An empty value is left out.
        Some(found.get("value").map(decode).unwrap_or_default())
    }

    pub(super) fn keys(&self, prefix: &str) -> Vec<String> {
        let mut request = range(prefix);
        request["keys_only"] = json!(true);
        let answer = self.call("/v3/kv/range", &request);
        let found = answer["kvs"].as_array().cloned().unwrap_or_default();
        found.iter().map(|kv| decode(&kv["key"])).collect()
    }

    pub(super) fn delete(&self, key: &str) {
        self.call("/v3/kv/deleterange", &json!({"key": encode(key)}));
    }

    pub(super) fn delete_prefix(&self, prefix: &str) {
        self.call("/v3/kv/deleterange", &range(prefix));
    }

    pub(super) fn revision(&self) -> i64 {
        let answer = self.call("/v3/kv/range", &json!({"key": encode("/"), "limit": 1}));
        number(&answer["header"]["revision"])
    }

    pub(super) fn compact(&self) {
        let revision = self.revision();
        self.call(
            "/v3/kv/compaction",
            &json!({"revision": revision, "physical": true}),
        );
    }

    pub(super) fn leases(&self) -> Vec<i64> {
        let answer = self.call("/v3/lease/leases", &json!({}));
        let found = answer["leases"].as_array().cloned().unwrap_or_default();
        found.iter().map(|lease| number(&lease["ID"])).collect()
    }

    pub(super) fn revoke(&self, lease: i64) {
        self.call("/v3/lease/revoke", &json!({"ID": lease}));
    }

    pub(super) fn disarm(&self) {
        let path = "/v3/maintenance/alarm";
        let alarms = self.call(path, &json!({"action": "GET"}));
        for alarm in alarms["alarms"].as_array().into_iter().flatten() {
            let member = &alarm["memberID"];
            self.call(
                path,
                &json!({"action": "DEACTIVATE", "memberID": member, "alarm": alarm["alarm"]}),
            );
        }
    }

    pub(super) fn call(&self, path: &str, request: &Value) -> Value {
        let mut failures = Vec::new();
        for address in &self.addresses {
            match post(address, path, &request.to_string()) {
                Ok(answer) => return answer,
                Err(error) => failures.push(format!("{address}: {error}")),
            }
        }
        panic!("{path} {request}: {failures:?}");
    }
}

fn post(address: &str, path: &str, body: &str) -> io::Result<Value> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
    let length = body.len();
    let request = format!("POST {path} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if !head.contains(" 200 ") {
        return Err(io::Error::other(answer));
    }
    Ok(serde_json::from_str(body)?)
}

fn range(prefix: &str) -> Value {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    json!({"key": encode(prefix), "range_end": BASE64_STANDARD.encode(end)})
}

fn encode(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

fn decode(text: &Value) -> String {
    let bytes = BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// 64-bit numbers are texts in this kind of JSON.
fn number(value: &Value) -> i64 {
    value.as_str().unwrap().parse().unwrap()
}
