//! Every contender gives back what it gets, whole and to the caller who sent it.

use std::time::Duration;

use doge_benches::{
    Contender, Error, Payload,
    contenders::{Doge, Echo, EchoMsgpack},
};
use tokio::{sync::oneshot, task::JoinSet, time::timeout};

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn doge_rpc_answers() {
    answers::<Doge>().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn echo_answers() {
    answers::<Echo>().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn echo_with_msgpack_answers() {
    answers::<EchoMsgpack>().await.unwrap();
}

async fn answers<C>() -> Result<(), Error>
where
    C: Contender<Value: Clone + PartialEq + std::fmt::Debug>,
{
    let (bound, address) = oneshot::channel();
    tokio::spawn(C::serve(bound));
    let client = C::connect(address.await?).await?;
    let mut callers = JoinSet::new();
    for caller in 0..96 {
        let value = C::value([Payload::Small, Payload::Kib1, Payload::Kib64][caller % 3])?;
        callers.spawn(repeat(client.clone(), value));
    }
    while let Some(caller) = timeout(LIMIT, callers.join_next()).await? {
        caller??;
    }
    Ok(())
}

async fn repeat<C>(client: C, value: C::Value) -> Result<(), Error>
where
    C: Contender<Value: Clone + PartialEq + std::fmt::Debug>,
{
    for _ in 0..20 {
        assert_eq!(client.call(value.clone()).await?, value);
    }
    Ok(())
}
