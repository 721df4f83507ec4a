//! Neither a service nor its methods can be generic.

use doge_rpc::{Status, service};

#[service]
trait GenericService<T> {
    async fn get(&self, id: T) -> Result<u8, Status>;
}

#[service]
trait BoundService
where
    Self: Clone,
{
    async fn get(&self) -> Result<u8, Status>;
}

#[service]
trait MethodsService {
    async fn ty<T: Send>(&self, value: T) -> Result<(), Status>;
    async fn constant<const N: usize>(&self, values: [u8; N]) -> Result<(), Status>;
    async fn lifetime<'a>(&self, text: std::borrow::Cow<'a, str>) -> Result<(), Status>;
    async fn opaque(&self, values: Vec<impl Iterator<Item = u8> + Send>) -> Result<(), Status>;
    async fn opaque_result(&self) -> Result<impl Send, Status>;
    async fn bound(&self) -> Result<(), Status>
    where
        Self: Sized;
}

fn main() {}
