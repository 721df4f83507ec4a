//! Neovim as a client, and as a server.

mod ours;

use doge_interop::{Caller, Server};
use serde_json::json;

#[test]
fn neovim_talks_to_itself() {
    let server = Server::neovim();
    let mut caller = Caller::neovim(server.port);
    assert_eq!(caller.call("nvim_eval", json!(["1 + 2"])), Ok(json!(3)));
    let value = json!([1.5, null, "x", {"a": [true]}]);
    caller.tell("nvim_set_var", json!(["value", value]));
    assert_eq!(caller.call("nvim_get_var", json!(["value"])), Ok(value));
    let error = caller.call("nvim_eval", json!(["1 +"])).unwrap_err();
    assert!(error.contains("E15"), "{error}");
    assert_eq!(caller.call("nvim_eval", json!(["1 + 2"])), Ok(json!(3)));
}

#[cfg(feature = "python")]
#[test]
fn neovim_is_a_client_of_mprpc() {
    use doge_interop::Meta;

    let server = Server::mprpc(Meta::First);
    let mut caller = Caller::neovim(server.port);
    assert_eq!(caller.call("sum", json!([{"k": "v"}, 1, 2])), Ok(json!(3)));
    assert_eq!(caller.call("boom", json!([{}])), Err("boom".to_owned()));
    let shown = caller.call("shown", json!([{}, ["h\u{e9}", 1.5, {"a": null}]]));
    assert_eq!(shown, Ok(json!("('h\u{e9}', 1.5, {'a': None})")));
}

#[cfg(feature = "python")]
#[test]
fn neovim_is_a_server_of_mprpc() {
    let server = Server::neovim();
    let mut caller = Caller::mprpc(server.port);
    assert_eq!(caller.call("nvim_eval", json!(["1 + 2"])), Ok(json!(3)));
    // Its errors are arrays of a kind and a text.
    let error = caller.call("nvim_no_such", json!([])).unwrap_err();
    assert!(error.starts_with("RPCError: (0, "), "{error}");
    assert_eq!(caller.call("nvim_eval", json!(["1 + 2"])), Ok(json!(3)));
}
