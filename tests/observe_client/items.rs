//! An answer with items is in flight, has its place in the limits, and has not ended, until its items have ended.

use std::sync::Arc;

use bytes::Bytes;
use doge_rpc::{
    Code, Deadline, Request, Response, Status,
    call::{Body, Items},
    client::{CallLimits, MethodPolicy},
    schema::Encoding,
    wire,
};
use futures_util::{StreamExt as _, stream};
use tower::util::MapResponseLayer;

use crate::{
    common::{LIMIT, ProbeClient},
    world::World,
};

fn item() -> Result<Bytes, Status> {
    Ok(Bytes::from_static(b"\x01"))
}

/// Where answers get their items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a layer around an attempt: the attempt has items, and so the call.
    Attempt,
    /// In a layer around the call: only the call has items.
    Call,
}

/// A cluster all of whose answers have these items, and each of whose limits lets one call through.
async fn answering(place: Place, items: Vec<Result<Bytes, Status>>) -> World {
    let items = Arc::new(items);
    let layer = MapResponseLayer::new(move |response: Response| {
        let items = stream::iter(items.to_vec());
        let body = Body::with_items(response.bytes().clone(), items);
        response.with_body(body)
    });
    World::of(1, |builder| {
        let one = CallLimits::new().concurrency(1);
        let builder = builder
            .limits(one.clone())
            .method("read", MethodPolicy::new().limits(one));
        match place {
            Place::Attempt => builder.attempt_layer(layer),
            Place::Call => builder.call_layer(layer),
        }
    })
    .await
}

async fn call(world: &World) -> Result<Response, Status> {
    let body = wire::encode(&(7_u64,), Encoding::Map).unwrap();
    let request = Request::new(ProbeClient::route("read"), body, Deadline::after(LIMIT));
    world.cluster.call(&request).await
}

/// Ends the items of an answer in this way; the code of such a call.
async fn end(items: Items, way: Way) -> Code {
    match way {
        Way::Taken | Way::Failing => {
            let last = items.collect::<Vec<_>>().await.pop().unwrap();
            last.map_or_else(|status| status.code(), |_| Code::Ok)
        }
        Way::Dropped => {
            drop(items);
            Code::Cancelled
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Taken,
    Failing,
    Dropped,
}

#[tokio::test]
async fn what_counts_a_call_counts_it_to_the_end_of_its_items() {
    for way in [Way::Taken, Way::Failing, Way::Dropped] {
        let mut items = vec![item(), item()];
        if way == Way::Failing {
            items.push(Err(Status::aborted("no more")));
        }
        let mut world = answering(Place::Attempt, items).await;
        let in_flight = |world: &World| world.cluster.stats().endpoints[0].in_flight;
        for _ in 0..2 {
            let response = call(&world).await.unwrap();
            let open = world.cluster.stats();
            assert_eq!(in_flight(&world), 1, "{way:?}");
            assert_eq!(open.calls, open.calls_ended.total() + 1, "{way:?}");
            assert_eq!(open.attempts, open.attempts_ended.total() + 1, "{way:?}");
            assert_eq!(world.ledger.calls_ended().len() as u64, open.calls - 1);

            let refused = call(&world).await.unwrap_err();
            assert_eq!(refused.code(), Code::ResourceExhausted, "{way:?}");
            world.callers.saw_code(refused.code());

            let mut items = response.body().take_items().unwrap();
            assert_eq!(items.next().await, Some(item()));
            assert_eq!(in_flight(&world), 1, "{way:?}");
            world.callers.saw_code(end(items, way).await);
            // Its place is free again, for the call of the second round.
            world.agrees();
        }
    }
}

#[tokio::test]
async fn items_of_a_layer_around_a_call_belong_to_the_call_alone() {
    let mut world = answering(Place::Call, vec![item()]).await;
    let first = call(&world).await.unwrap();
    // The attempt is over, and so is what the limits count, which is below the layer.
    let second = call(&world).await.unwrap();
    let open = world.cluster.stats();
    assert_eq!((open.calls, open.calls_ended.total()), (2, 0));
    assert_eq!((open.attempts, open.attempts_ended.total()), (2, 2));
    for response in [first, second] {
        let items = response.body().take_items().unwrap();
        world.callers.saw_code(end(items, Way::Taken).await);
    }
    world.agrees();
}
