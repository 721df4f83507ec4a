//! An implementation that is called directly is a function of its caller, and nothing of the framework is in between. A
//! client within the process is as remote as any.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use doge_rpc::{
    Request,
    call::{Peer, Route},
    prelude::*,
};
use futures_util::FutureExt as _;
use tokio::sync::Notify;

use crate::common::{patient, soon};

#[service(name = "call.desk")]
trait Desk {
    #[rpc(timeout = "300ms")]
    async fn take_five_seconds(&self) -> Result<(), Status>;

    async fn panic(&self) -> Result<(), Status>;

    async fn count(&self, list: Vec<()>) -> Result<usize, Status>;

    /// Calls itself, which fails.
    async fn hand_on(&self) -> Result<(), Status>;

    async fn hang(&self) -> Result<(), Status>;

    /// What there is of a call.
    async fn context(&self) -> Result<Option<String>, Status>;
}

#[derive(Clone, Default)]
struct Clerk {
    hangs: Arc<Notify>,
    dropped: Arc<Notify>,
}

struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Desk for Clerk {
    async fn take_five_seconds(&self) -> Result<(), Status> {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(())
    }

    async fn panic(&self) -> Result<(), Status> {
        std::panic::resume_unwind(Box::new("asked to"))
    }

    async fn count(&self, list: Vec<()>) -> Result<usize, Status> {
        Ok(list.len())
    }

    async fn hand_on(&self) -> Result<(), Status> {
        Err(Status::unavailable("away").received_from(&Route::named("call.other", "get")?))
    }

    async fn hang(&self) -> Result<(), Status> {
        let _dropped = Dropped(Arc::clone(&self.dropped));
        self.hangs.notify_one();
        std::future::pending().await
    }

    async fn context(&self) -> Result<Option<String>, Status> {
        Ok(Context::current().map(|context| {
            let (route, peer) = (context.route(), context.peer().unwrap());
            let tenant = context.metadata().get_str("tenant").unwrap_or("-");
            let user = context.extensions().get::<User>().map_or("-", |it| it.0);
            format!("{route} from {peer}: {tenant} {user}")
        }))
    }
}

#[derive(Clone)]
struct User(&'static str);

fn local() -> DeskClient {
    DeskClient::local(Clerk::default())
}

#[tokio::test(start_paused = true)]
async fn nobody_keeps_the_deadline_of_the_method() {
    assert_eq!(Clerk::default().take_five_seconds().await, Ok(()));
    let status = local().take_five_seconds().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_panic_is_one_of_the_caller() {
    let direct = Clerk::default();
    let panic = AssertUnwindSafe(direct.panic()).catch_unwind().await;
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"asked to"));
    let status = local().panic().await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
}

#[tokio::test]
async fn arguments_do_not_go_through_the_codec() {
    const TOO_MANY: usize = 1_048_577;
    let direct = Clerk::default().count(vec![(); TOO_MANY]).await;
    assert_eq!(direct, Ok(TOO_MANY));
    let status = local().count(vec![(); TOO_MANY]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_status_that_is_handed_on_is_as_it_was_received() {
    let status = Clerk::default().hand_on().await.unwrap_err();
    assert_eq!((status.message(), status.is_passed_on()), ("away", false));
    let status = local().hand_on().await.unwrap_err();
    let expected = ("call.other/get: away", true);
    assert_eq!((status.message(), status.is_passed_on()), expected);
}

#[tokio::test]
async fn the_context_is_that_of_the_caller() {
    let (direct, local) = (Clerk::default(), local());
    assert_eq!(direct.context().await, Ok(None));
    let own = "call.desk/context from this process: - -";
    assert_eq!(local.context().await, Ok(Some(own.to_owned())));

    let mut metadata = Metadata::new();
    metadata.insert("tenant", "acme").unwrap();
    let route = Route::named("call.caller", "act").unwrap();
    let mut request = Request::new(
        route,
        b"\x90"[..].into(),
        Deadline::after(crate::common::LIMIT),
    )
    .with_metadata(metadata)
    .with_peer(Peer::new("tcp://10.0.0.7:51234".parse().unwrap()));
    request.extensions_mut().insert(User("ada"));
    let around = Context::of(&request);
    let seen = around.clone().scope(direct.context()).await;
    let callers = "call.caller/act from tcp://10.0.0.7:51234: acme ada";
    assert_eq!(seen, Ok(Some(callers.to_owned())));
    let seen = around.scope(local.context()).await;
    let own = "call.desk/context from this process: acme ada";
    assert_eq!(seen, Ok(Some(own.to_owned())));
}

#[tokio::test]
async fn a_call_that_is_dropped_drops_the_handler() {
    for directly in [true, false] {
        let clerk = Clerk::default();
        let local = DeskClient::local(clerk.clone()).with(patient());
        let direct = clerk.clone();
        let call = tokio::spawn(async move {
            match directly {
                true => direct.hang().await,
                false => local.hang().await,
            }
        });
        soon(clerk.hangs.notified()).await;
        call.abort();
        soon(clerk.dropped.notified()).await;
    }
}
