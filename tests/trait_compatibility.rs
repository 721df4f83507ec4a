//! Two versions of one trait, both ways: what can be added without breaking old peers.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use doge_rpc::{prelude::*, server::Running};
use serde::{Deserialize, Serialize};

/// The service as it was.
mod old {
    use super::{Deserialize, Serialize, Status, service};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Person {
        pub(crate) name: String,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) enum PeopleError {
        NotFound(u64),
        Status(Status),
    }

    impl From<Status> for PeopleError {
        fn from(status: Status) -> Self {
            Self::Status(status)
        }
    }

    #[service(name = "people")]
    pub(crate) trait People {
        async fn get(&self, id: u64) -> Result<Person, PeopleError>;
        async fn add(&self, person: Person) -> Result<u64, PeopleError>;
    }

    pub(crate) struct Implementation;

    impl People for Implementation {
        async fn get(&self, id: u64) -> Result<Person, PeopleError> {
            if id == 0 {
                Err(PeopleError::NotFound(id))
            } else {
                Ok(Person {
                    name: format!("old {id}"),
                })
            }
        }

        async fn add(&self, person: Person) -> Result<u64, PeopleError> {
            Ok(person.name.len() as u64)
        }
    }
}

/// The service with a method in front, an argument with a default, and fields with defaults.
mod new {
    use super::{Deserialize, Serialize, Status, service};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Person {
        #[serde(default)]
        pub(crate) title: Option<String>,
        pub(crate) name: String,
        #[serde(default)]
        pub(crate) tags: Vec<String>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) enum PeopleError {
        Frozen,
        NotFound(u64),
        Status(Status),
    }

    impl From<Status> for PeopleError {
        fn from(status: Status) -> Self {
            Self::Status(status)
        }
    }

    #[service(name = "people")]
    pub(crate) trait People {
        async fn count(&self) -> Result<u64, PeopleError>;
        async fn add(&self, person: Person) -> Result<u64, PeopleError>;
        async fn get(
            &self,
            id: u64,
            #[rpc(default)] shout: bool,
            #[rpc(default = "times")] times: usize,
        ) -> Result<Person, PeopleError>;
    }

    fn times() -> usize {
        2
    }

    pub(crate) struct Implementation;

    impl People for Implementation {
        async fn count(&self) -> Result<u64, PeopleError> {
            Ok(3)
        }

        async fn add(&self, person: Person) -> Result<u64, PeopleError> {
            Ok(100 + person.name.len() as u64 + person.tags.len() as u64)
        }

        async fn get(&self, id: u64, shout: bool, times: usize) -> Result<Person, PeopleError> {
            let name = format!("new {id}").repeat(times);
            let name = if shout { name.to_uppercase() } else { name };
            Ok(Person {
                title: Some("Dr".into()),
                name,
                tags: vec!["a".into()],
            })
        }
    }
}

async fn serve(service: impl doge_rpc::call::Serve) -> Running {
    Server::builder()
        .add(service)
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap()
}

#[tokio::test]
async fn an_old_client_calls_a_new_server() {
    use old::People as _;

    let server = serve(new::PeopleServer::new(new::Implementation)).await;
    let client = old::PeopleClient::connect(server.address()).unwrap();

    // The arguments it does not know take their defaults, the fields it does not know are not looked at, and the
    // order of the methods does not matter.
    assert_eq!(
        client.get(7).await,
        Ok(old::Person {
            name: "new 7new 7".into()
        })
    );
    assert_eq!(
        client
            .add(old::Person {
                name: "doge".into()
            })
            .await,
        Ok(104)
    );
}

#[tokio::test]
async fn a_new_client_calls_an_old_server() {
    use new::People as _;

    let server = serve(old::PeopleServer::new(old::Implementation)).await;
    let client = new::PeopleClient::connect(server.address()).unwrap();

    // The arguments that the server does not know are not looked at; the fields it does not send take defaults.
    let person = new::Person {
        title: None,
        name: "old 7".into(),
        tags: vec![],
    };
    assert_eq!(client.get(7, true, 9).await, Ok(person));
    let person = new::Person {
        title: Some("Dr".into()),
        name: "doge".into(),
        tags: vec!["x".into()],
    };
    assert_eq!(client.add(person).await, Ok(4));
    // An error variant that both know arrives as itself, though its place in the enum has changed.
    assert_eq!(
        client.get(0, false, 1).await,
        Err(new::PeopleError::NotFound(0))
    );
}

#[tokio::test]
async fn a_method_that_the_server_does_not_have_is_unimplemented_and_harms_nobody() {
    use new::People as _;

    let server = serve(old::PeopleServer::new(old::Implementation)).await;
    let client = new::PeopleClient::connect(server.address()).unwrap();

    let Err(new::PeopleError::Status(status)) = client.count().await else {
        panic!("it has no such method")
    };
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.never_ran());
    assert!(
        status.message().contains("get, add"),
        "says what there is: {status}"
    );
    assert!(client.get(1, false, 1).await.is_ok());
}

#[tokio::test]
async fn an_error_that_the_caller_does_not_know_is_a_status_and_no_panic() {
    use old::People as _;

    struct Frozen;

    impl new::People for Frozen {
        async fn count(&self) -> Result<u64, new::PeopleError> {
            Err(new::PeopleError::Frozen)
        }

        async fn add(&self, _: new::Person) -> Result<u64, new::PeopleError> {
            Err(new::PeopleError::Frozen)
        }

        async fn get(&self, _: u64, _: bool, _: usize) -> Result<new::Person, new::PeopleError> {
            Err(new::PeopleError::Frozen)
        }
    }

    let server = serve(new::PeopleServer::new(Frozen)).await;
    let client = old::PeopleClient::connect(server.address()).unwrap();
    let Err(old::PeopleError::Status(status)) = client.get(1).await else {
        panic!("Frozen is not known here")
    };
    assert_eq!(status.code(), Code::Internal);
    assert!(status.message().contains("Frozen"), "{status}");
}

/// The same struct by name and by place.
mod encodings {
    use super::{Deserialize, Serialize, Status, service};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Point {
        pub(crate) x: u32,
        pub(crate) y: u32,
    }

    /// The same with a field more.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename = "Point")]
    pub(crate) struct NewPoint {
        pub(crate) x: u32,
        pub(crate) y: u32,
        #[serde(default)]
        pub(crate) z: u32,
    }

    #[service(name = "points")]
    pub(crate) trait NewByPlace {
        #[rpc(encoding = "array")]
        async fn swap(&self, point: NewPoint) -> Result<NewPoint, Status>;
    }

    impl NewByPlace for Implementation {
        async fn swap(&self, point: NewPoint) -> Result<NewPoint, Status> {
            let NewPoint { x, y, z } = point;
            Ok(NewPoint { x: y, y: x, z })
        }
    }

    #[service(name = "points")]
    pub(crate) trait ByName {
        async fn swap(&self, point: Point) -> Result<Point, Status>;
    }

    #[service(name = "points")]
    pub(crate) trait ByPlace {
        #[rpc(encoding = "array")]
        async fn swap(&self, point: Point) -> Result<Point, Status>;
    }

    pub(crate) struct Implementation;

    impl ByName for Implementation {
        async fn swap(&self, point: Point) -> Result<Point, Status> {
            Ok(Point {
                x: point.y,
                y: point.x,
            })
        }
    }

    impl ByPlace for Implementation {
        async fn swap(&self, point: Point) -> Result<Point, Status> {
            Ok(Point {
                x: point.y,
                y: point.x,
            })
        }
    }
}

#[tokio::test]
async fn readers_take_structs_as_maps_and_as_arrays() {
    use encodings::{
        ByNameClient, ByNameServer, ByPlaceClient, ByPlaceServer, Implementation, Point,
    };

    let by_name = serve(ByNameServer::new(Implementation)).await;
    let by_place = serve(ByPlaceServer::new(Implementation)).await;
    for server in [&by_name, &by_place] {
        let client = ByNameClient::connect(server.address()).unwrap();
        let swapped = encodings::ByName::swap(&client, Point { x: 1, y: 2 }).await;
        assert_eq!(swapped.unwrap(), Point { x: 2, y: 1 });
        let client = ByPlaceClient::connect(server.address()).unwrap();
        let swapped = encodings::ByPlace::swap(&client, Point { x: 1, y: 2 }).await;
        assert_eq!(swapped.unwrap(), Point { x: 2, y: 1 });
    }
}

#[tokio::test]
async fn a_field_that_is_added_to_an_array_is_passed_over_by_old_readers_and_has_its_default_at_new_ones()
 {
    use encodings::{
        ByPlaceClient, ByPlaceServer, Implementation, NewByPlaceClient, NewByPlaceServer, NewPoint,
        Point,
    };

    let old = serve(ByPlaceServer::new(Implementation)).await;
    let new = serve(NewByPlaceServer::new(Implementation)).await;
    for scheme in ["tcp", "doge", "msgpack-rpc"] {
        let address = |server: &Running| server.address().to_string().replace("tcp", scheme);
        let client = NewByPlaceClient::connect(address(&old)).unwrap();
        let swapped = encodings::NewByPlace::swap(&client, NewPoint { x: 1, y: 2, z: 3 }).await;
        assert_eq!(swapped, Ok(NewPoint { x: 2, y: 1, z: 0 }), "{scheme}");
        let client = ByPlaceClient::connect(address(&new)).unwrap();
        let swapped = encodings::ByPlace::swap(&client, Point { x: 1, y: 2 }).await;
        assert_eq!(swapped, Ok(Point { x: 2, y: 1 }), "{scheme}");
    }
}

/// Types of which an array would be read as another value, as arguments, results and errors.
mod kinds {
    use super::{Deserialize, Serialize, Status, service};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Pay {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(crate) bonus: Option<u32>,
        pub(crate) employee: u32,
        #[serde(default)]
        pub(crate) salary: Option<u32>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", content = "of")]
    pub(crate) enum Adjacent {
        Nothing,
        Named { x: u32 },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    pub(crate) enum Untagged {
        Point { x: u32, y: u32 },
        Size { width: u32, height: u32 },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", content = "of")]
    pub(crate) enum Failed {
        NotFound,
        Taken { by: u32 },
        Status(Status),
    }

    impl From<Status> for Failed {
        fn from(status: Status) -> Self {
            Self::Status(status)
        }
    }

    #[service(name = "kinds")]
    pub(crate) trait Kinds {
        #[rpc(encoding = "array")]
        async fn pay(&self, pay: Pay) -> Result<Pay, Status>;

        #[rpc(encoding = "array")]
        async fn adjacent(&self, value: Vec<Adjacent>) -> Result<Vec<Adjacent>, Status>;

        #[rpc(encoding = "array")]
        async fn untagged(&self, value: Option<Untagged>) -> Result<Option<Untagged>, Status>;

        #[rpc(encoding = "array")]
        async fn fail(&self, taken: bool) -> Result<(), Failed>;
    }

    pub(crate) struct Echo;

    impl Kinds for Echo {
        async fn pay(&self, pay: Pay) -> Result<Pay, Status> {
            Ok(pay)
        }

        async fn adjacent(&self, value: Vec<Adjacent>) -> Result<Vec<Adjacent>, Status> {
            Ok(value)
        }

        async fn untagged(&self, value: Option<Untagged>) -> Result<Option<Untagged>, Status> {
            Ok(value)
        }

        async fn fail(&self, taken: bool) -> Result<(), Failed> {
            Err(if taken {
                Failed::Taken { by: 7 }
            } else {
                Failed::NotFound
            })
        }
    }
}

#[tokio::test]
async fn what_an_array_would_change_arrives_as_it_was() {
    use kinds::{Adjacent, Echo, Failed, Kinds as _, KindsClient, KindsServer, Pay, Untagged};

    let server = serve(KindsServer::new(Echo)).await;
    let client = KindsClient::connect(server.address()).unwrap();
    let pay = Pay {
        bonus: None,
        employee: 7,
        salary: Some(5000),
    };
    assert_eq!(client.pay(pay.clone()).await, Ok(pay));
    let adjacent = vec![Adjacent::Nothing, Adjacent::Named { x: 7 }];
    assert_eq!(client.adjacent(adjacent.clone()).await, Ok(adjacent));
    for value in [
        Untagged::Point { x: 1, y: 2 },
        Untagged::Size {
            width: 1,
            height: 2,
        },
    ] {
        assert_eq!(client.untagged(Some(value.clone())).await, Ok(Some(value)));
    }
    assert_eq!(client.fail(false).await, Err(Failed::NotFound));
    assert_eq!(client.fail(true).await, Err(Failed::Taken { by: 7 }));
}
