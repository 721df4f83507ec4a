//! Large values and deep ones.

use doge_interop::{Meta, Methods as _, scenario};
use rmpv::Value;

use super::{nested, of_both_kinds, recorder::Recorder, same};
use crate::ours::{blocking, client, port};

/// How deep an argument may nest with us: the array of the arguments is the first of 128 levels.
const DEEPEST: usize = 127;

/// What is said about one that nests deeper.
const TOO_DEEP: &str = "nested deeper than 128";

fn large() -> [(&'static str, Value); 4] {
    let number = |number: u32| Value::from(number.to_string());
    [
        ("32 MiB of bytes", Value::Binary(vec![0xFF; 1 << 25])),
        ("32 MiB of text", "x".repeat(1 << 25).into()),
        ("array of 300000", (0..300_000).map(Value::from).collect()),
        ("array of 300000 texts", (0..300_000).map(number).collect()),
    ]
}

#[tokio::test]
async fn python_gets_large_values_back_from_rust_and_an_error_for_those_that_are_too_deep() {
    let recorder = Recorder::default();
    let server = recorder.serve().await;
    let port = port(&server);
    for meta in Meta::BOTH {
        let cases = blocking(move || scenario("large", port, meta, &[])).await;
        let (deep, fine) = cases.split_last().unwrap();
        let got = recorder.take();
        assert_eq!((fine.len(), got.len()), (4, 4));
        for ((case, got), (name, value)) in fine.iter().zip(got).zip(large()) {
            assert_eq!((&case["case"], &case["same"]), (&name.into(), &true.into()));
            assert!(same(&got, &value), "{name}");
        }
        let error = deep["error"].as_str().unwrap();
        assert!(
            error.starts_with("RPCError: ") && error.contains(TOO_DEEP),
            "{error}"
        );
    }
}

#[tokio::test]
async fn rust_gets_large_values_back_from_python_and_from_rust() {
    for meta in Meta::BOTH {
        let (_servers, addresses) = of_both_kinds(meta).await;
        for address in addresses {
            let client = client(&address);
            for (name, value) in large() {
                let back = client.echo(value.clone()).await.unwrap();
                assert!(same(&back, &value), "{name}");
            }
            assert_eq!(client.size(1 << 25).await.unwrap().len(), 1 << 25);
            let blob = Value::Binary(vec![0; 1 << 25]);
            assert_eq!(client.length(blob).await, Ok(1 << 25));
        }
    }
}

#[tokio::test]
async fn values_nest_as_deep_as_they_may_and_one_level_more_is_an_error_of_that_call() {
    for meta in Meta::BOTH {
        let (_servers, addresses) = of_both_kinds(meta).await;
        for address in addresses {
            let client = client(&address);
            let deep = nested(DEEPEST);
            assert!(same(&client.echo(deep.clone()).await.unwrap(), &deep));
            // Python would take what is deeper, and is not asked.
            let error = client.echo(nested(DEEPEST + 1)).await.unwrap_err();
            assert!(error.never_ran());
            assert!(
                error.message().contains("nested 129 levels deep"),
                "{error}"
            );
            assert_eq!(client.sum(1, 2).await, Ok(3));
        }
    }
}
