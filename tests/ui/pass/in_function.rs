//! A service can stand in a function body, next to others, with types of that body.

#![deny(warnings)]

use std::sync::Arc;

use doge_rpc::{Status, service};

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, thiserror::Error)]
enum Refused {
    #[error("too much: {0}")]
    TooMuch(u32),
    #[error(transparent)]
    Status(#[from] Status),
}

macro_rules! made_by_a_macro {
    ($name:ident, $method:ident($argument:ident: $ty:ty)) => {
        #[service]
        trait $name {
            async fn $method(&self, $argument: $ty, other: $ty) -> Result<$ty, Status>;
        }
    };
}

#[tokio::main]
async fn main() {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Money(u32);

    fn ten() -> Money {
        Money(10)
    }

    #[service(name = "first")]
    trait FirstService: Send {
        async fn pay(&self, #[rpc(default = "ten")] money: Money) -> Result<Money, Refused>;
        async fn all(&self) -> Result<Vec<Money>, Refused>;
    }

    #[service(name = "second", crate = "::doge_rpc")]
    trait SecondService {
        async fn pay(&self, money: Money) -> Result<(), Status>;
    }

    made_by_a_macro!(Third, add(left: u8));

    struct Till;

    impl FirstService for Till {
        async fn pay(&self, money: Money) -> Result<Money, Refused> {
            if money.0 > 10 {
                Err(Refused::TooMuch(money.0))
            } else {
                Ok(money)
            }
        }

        async fn all(&self) -> Result<Vec<Money>, Refused> {
            Ok(vec![Money(1), Money(2)])
        }
    }

    impl SecondService for Till {
        async fn pay(&self, _: Money) -> Result<(), Status> {
            Ok(())
        }
    }

    impl Third for Till {
        async fn add(&self, left: u8, other: u8) -> Result<u8, Status> {
            Ok(left + other)
        }
    }

    let till = Arc::new(Till);
    let first = FirstClient::local(Arc::clone(&till));
    assert_eq!(first.pay(Money(3)).await, Ok(Money(3)));
    assert_eq!(first.pay(Money(30)).await, Err(Refused::TooMuch(30)));
    assert_eq!(first.all().await, Ok(vec![Money(1), Money(2)]));
    assert!(
        SecondClient::local(Arc::clone(&till))
            .pay(Money(30))
            .await
            .is_ok()
    );
    assert!(matches!(ThirdClient::local(till).add(1, 2).await, Ok(3)));
}
