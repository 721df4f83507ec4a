//! The names that a service may have are those that every registry can hold; a method has more to choose from.

#![deny(warnings)]

use doge_rpc::{Status, registry::ServiceKey, schema::ServiceSchema, service};

#[service]
trait Own {}

#[service(name = "hr.employee-v2_x", version = "1.0")]
trait Usual {}

#[service(name = "-", version = "_")]
trait Short {}

#[service(name = "a..", version = "v.")]
trait Dots {}

#[service(
    name = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
    version = "11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
)]
trait Long {}

#[service(name = "hr.review")]
trait Prüfung {
    async fn prüfe(&self) -> Result<(), Status>;
    #[rpc(name = ".review:社員")]
    async fn review(&self) -> Result<(), Status>;
}

fn key(schema: &ServiceSchema) -> ServiceKey {
    ServiceKey::new(schema.name()).with_version(schema.version())
}

fn main() {
    for schema in [
        OwnClient::schema(),
        UsualClient::schema(),
        ShortClient::schema(),
        DotsClient::schema(),
        LongClient::schema(),
        PrüfungClient::schema(),
    ] {
        key(schema).validate().unwrap();
    }
    assert_eq!(LongClient::schema().name().len(), 128);
    assert_eq!(LongClient::schema().version().len(), 128);
    let names = PrüfungClient::schema()
        .methods()
        .iter()
        .map(|method| method.name());
    assert_eq!(names.collect::<Vec<_>>(), ["prüfe", ".review:社員"]);
}
