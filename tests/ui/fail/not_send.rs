//! What travels can go to another thread.

use doge_rpc::{Status, service};

#[derive(serde::Serialize, serde::Deserialize)]
struct Here(#[serde(skip)] std::marker::PhantomData<*const u8>);

#[service]
trait HereService {
    async fn stay(&self, here: Here) -> Result<(), Status>;
}

fn main() {}
