//! Every contender gives back what it gets, whole and to the caller who sent it, pauses for as long as it is asked to, and
//! can be the one that asks others.

use std::{
    fmt::Debug,
    net::SocketAddr,
    time::{Duration, Instant},
};

use doge_benches::{
    Contender, Error, Handler, Payload,
    contenders::{Doge, DogeCluster, Echo, EchoMsgpack},
};
use tokio::{sync::oneshot, task::JoinSet, time::timeout};

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn doge_rpc_answers() {
    answers::<Doge>().unwrap();
}

#[test]
fn doge_rpc_in_a_cluster_answers() {
    answers::<DogeCluster>().unwrap();
}

#[test]
fn echo_answers() {
    answers::<Echo>().unwrap();
}

#[test]
fn echo_with_msgpack_answers() {
    answers::<EchoMsgpack>().unwrap();
}

#[cfg(feature = "peers")]
mod peers {
    use doge_benches::contenders::{Capnp, Jsonrpsee, TarpcBincode, TarpcMsgpack, Tonic, Volo};

    use super::answers;

    #[test]
    fn tarpc_with_msgpack_answers() {
        answers::<TarpcMsgpack>().unwrap();
    }

    #[test]
    fn tarpc_with_bincode_answers() {
        answers::<TarpcBincode>().unwrap();
    }

    #[test]
    fn tonic_answers() {
        answers::<Tonic>().unwrap();
    }

    #[test]
    fn volo_answers() {
        answers::<Volo>().unwrap();
    }

    #[test]
    fn capnp_rpc_answers() {
        answers::<Capnp>().unwrap();
    }

    #[test]
    fn jsonrpsee_answers() {
        answers::<Jsonrpsee>().unwrap();
    }
}

fn answers<C>() -> Result<(), Error>
where
    C: Contender<Value: PartialEq + Debug>,
{
    C::run(async {
        let server = serve::<C>(Handler::Echo).await?;
        gives_back::<C>(server).await?;
        if C::HANDLES {
            pauses::<C>(server).await?;
            let data = [server, serve::<C>(Handler::Echo).await?];
            gives_back::<C>(serve::<C>(Handler::connect(&data).await?).await?).await?;
        }
        Ok(())
    })
}

async fn serve<C: Contender>(handler: Handler<C>) -> Result<SocketAddr, Error> {
    let (bound, address) = oneshot::channel();
    tokio::spawn(C::serve(bound, handler));
    Ok(address.await?)
}

async fn gives_back<C>(server: SocketAddr) -> Result<(), Error>
where
    C: Contender<Value: PartialEq + Debug>,
{
    let client = C::connect(server).await?;
    let mut callers = JoinSet::new();
    for caller in 0..96 {
        let payload = [Payload::Small, Payload::Kib1, Payload::Kib64][caller % 3];
        callers.spawn(repeat(client.clone(), C::value(payload)?, 20));
    }
    callers.spawn(repeat(client, C::value(Payload::Mib1)?, 3));
    while let Some(caller) = timeout(LIMIT, callers.join_next()).await? {
        caller??;
    }
    Ok(())
}

async fn repeat<C>(client: C, value: C::Value, times: usize) -> Result<(), Error>
where
    C: Contender<Value: PartialEq + Debug>,
{
    for _ in 0..times {
        assert_eq!(client.call(value.clone()).await?, value);
    }
    Ok(())
}

async fn pauses<C: Contender>(server: SocketAddr) -> Result<(), Error> {
    const PAUSE: Duration = Duration::from_millis(300);
    let client = C::connect(server).await?;
    let start = Instant::now();
    let two = async { tokio::try_join!(client.pause(PAUSE), client.pause(PAUSE)) };
    timeout(LIMIT, two).await??;
    let took = start.elapsed();
    assert!(took >= PAUSE, "{took:?}");
    assert!(took < PAUSE * 2, "one after the other: {took:?}");
    Ok(())
}
