use doge_benches::Small;
use doge_rpc::{
    Deadline,
    call::{Request, Route},
    prelude::*,
    schema::Encoding,
    wire,
};

/// Gives back what it gets.
#[service]
pub(crate) trait Echo {
    /// A record.
    async fn small(&self, value: Small) -> Result<Small, Status>;
    /// No value at all, so that what remains is ours.
    async fn nothing(&self) -> Result<(), Status>;
}

pub(crate) struct SameValue;

impl Echo for SameValue {
    async fn small(&self, value: Small) -> Result<Small, Status> {
        Ok(value)
    }

    async fn nothing(&self) -> Result<(), Status> {
        Ok(())
    }
}

/// A call of the method, as it leaves a client.
pub(crate) fn request() -> Request {
    let method = EchoClient::schema()
        .method("small")
        .expect("the service has this method");
    let body = wire::encode(&(&Small::sample(),), Encoding::Map).expect("a sample serialises");
    let deadline = Deadline::after(Deadline::DEFAULT_TIMEOUT);
    Request::new(Route::from(method), body, deadline)
}
