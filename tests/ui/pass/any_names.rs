//! Arguments, types and methods may be called what they like, what the macro uses inside included.

#![deny(warnings)]
#![allow(non_camel_case_types, non_upper_case_globals, dead_code)]

use doge_rpc::service;

type Failure = doge_rpc::Status;

/// Types with the names of the prelude and of the generated code.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct T;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Arc;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Client;

enum Option {}
enum Some {}
struct Ok;
struct Err;
trait Clone {}
trait Debug {}
trait Send {}
trait Sync {}
trait Future {}
trait Service {}
mod std {}
mod core {}
const METHODS: usize = 3;
const SCHEMA: usize = 2;

fn request() -> u8 {
    1
}

fn arguments() -> u8 {
    2
}

#[service]
pub trait NamesService {
    async fn locals(
        &self,
        request: u8,
        service: u8,
        call: u8,
        self_: u8,
        arguments: u8,
        result: u8,
    ) -> Result<u8, Failure>;
    async fn more(
        &self,
        client: u8,
        schema: u8,
        name: u8,
        encoding: u8,
        address: u8,
    ) -> Result<u8, Failure>;
    async fn types(&self, t: T, arc: Arc, client: Client) -> Result<[u8; METHODS], Failure>;
    async fn defaults(
        &self,
        #[rpc(default = "request")] one: u8,
        #[rpc(default = "arguments")] two: u8,
    ) -> Result<[u8; SCHEMA], Failure>;
    async fn r#type(&self, r#async: u8, r#move: u8) -> Result<u8, Failure>;
    async fn call(&self) -> Result<(), Failure>;
    async fn serve(&self) -> Result<(), Failure>;
    async fn poll_ready(&self) -> Result<(), Failure>;
    async fn fmt(&self) -> Result<(), Failure>;
    async fn drop(&self) -> Result<(), Failure>;
    async fn from_arc(&self) -> Result<(), Failure>;
    #[rpc(name = "new")]
    async fn create(&self) -> Result<(), Failure>;
}

#[service(name = "raw")]
trait r#trait {
    async fn get(&self) -> Result<(), Failure>;
}

#[service]
trait Service2Service {}

mod bare {
    #[doge_rpc::service]
    trait Service {}

    fn is_service<S: Service>() {}

    pub(super) fn generated() {
        is_service::<ServiceClient>();
    }
}

fn main() {
    bare::generated();
    assert_eq!(traitClient::schema().name(), "raw");
    let schema = NamesClient::schema();
    let names: Vec<_> = schema
        .methods()
        .iter()
        .map(|method| method.name())
        .collect();
    assert_eq!(names[4..6], ["type", "call"]);
    assert_eq!(names.last(), ["new"].last());
    let names: Vec<_> = schema.methods()[4]
        .arguments()
        .iter()
        .map(|argument| argument.name())
        .collect();
    assert_eq!(names, ["async", "move"]);
}
