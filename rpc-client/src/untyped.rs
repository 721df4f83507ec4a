use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use doge_rpc_core::{
    Status,
    call::{CallOptions, Route},
    schema::{Encoding, ServiceSchema},
    wire,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::Client;

/// The methods of one service, called by their names: for a service that has no trait, such as one in Python. Cheap to
/// clone.
///
/// ```no_run
/// use doge_rpc_client::Client;
///
/// # async fn sum() -> Result<(), Box<dyn std::error::Error>> {
/// let calculator = Client::connect("doge://127.0.0.1:4399")?.untyped("calculator");
/// let sum = calculator.call::<u32>("sum", (1, 2)).await?;
/// calculator.call::<()>("reset", ()).await?;
/// # Ok(())
/// # }
/// ```
///
/// Whether a method may run twice is known from a schema only. Without a schema
/// ([`Client::untyped`](crate::Client::untyped)), and for a method that the schema does not have, a call that may have
/// run is never made again, nor hedged; with a schema
/// ([`Client::untyped_with_schema`](crate::Client::untyped_with_schema)) a call is as that of a generated client.
#[derive(Clone, Debug)]
pub struct Untyped {
    client: Client,
    service: String,
    /// The methods that the schema has, by name.
    methods: Arc<HashMap<String, Route>>,
}

impl Untyped {
    pub(crate) fn new(client: Client, service: String) -> Self {
        Self {
            client,
            service,
            methods: Arc::default(),
        }
    }

    pub(crate) fn with_schema(client: Client, schema: &Arc<ServiceSchema>) -> Self {
        let names = schema.methods().iter().map(|method| method.name());
        let route = |name: &str| Some((name.to_owned(), Route::of(schema, name)?));
        Self {
            client,
            service: schema.name().to_owned(),
            methods: Arc::new(names.filter_map(route).collect()),
        }
    }

    /// The same, with options of its own; those that `options` leaves open stay.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self {
            client: self.client.with(options),
            ..self.clone()
        }
    }

    /// Calls a method with a tuple of arguments, `(value,)` for one and `()` for none. Structs are written as maps, which
    /// every service reads, whatever the schema says. Dropping the future gives the call up on both ends.
    ///
    /// # Errors
    ///
    /// The status of the call. An error of the application is `Unknown`: with its text as the message where errors are
    /// text, as in MessagePack-RPC, and with its value as details.
    pub async fn call<T>(&self, method: &str, arguments: impl Serialize) -> Result<T, Status>
    where
        T: DeserializeOwned,
    {
        let route = match self.methods.get(method) {
            Some(route) => route.clone(),
            None => Route::named(&self.service, method)?,
        };
        self.client.call_by_route(route, &arguments).await
    }
}

/// The body of a call: an array.
pub(crate) fn encode<A: Serialize + ?Sized>(arguments: &A) -> Result<Bytes, Status> {
    const NIL: u8 = 0xC0;
    const NONE: Bytes = Bytes::from_static(b"\x90");
    let body = wire::encode(arguments, Encoding::Map).map_err(Status::from)?;
    match body.first() {
        Some(0x90..=0x9F | 0xDC | 0xDD) => Ok(body),
        Some(&NIL) => Ok(NONE),
        _ => {
            let why = "the arguments are not a tuple: write (value,) for one, and () for none";
            Err(Status::invalid_argument(why).not_sent())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use doge_rpc_core::{
        Code, Status,
        call::{Request, Response},
    };

    use super::encode;
    use crate::Client;

    #[test]
    fn arguments_are_a_tuple_of_any_length() {
        for (body, bytes) in [
            (encode(&(1, "a")), &b"\x92\x01\xa1a"[..]),
            (encode(&(1,)), b"\x91\x01"),
            (encode(&((),)), b"\x91\xc0"),
            (encode(&()), b"\x90"),
            (encode(&[(); 0]), b"\x90"),
            (encode(&[1, 2]), b"\x92\x01\x02"),
            (encode(&[7; 16]), &[&b"\xdc\x00\x10"[..], &[7; 16]].concat()),
        ] {
            assert_eq!(body.unwrap(), bytes);
        }
        for refused in [encode(&1), encode("a"), encode(&HashMap::from([(1, 2)]))] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert!(refused.never_ran());
        }
    }

    #[tokio::test]
    async fn a_method_is_called_by_its_name_and_an_error_says_what_came() {
        let client = Client::service(tower::service_fn(|request: Request| async move {
            match request.route().method() {
                "sum" => {
                    let mut arguments = request.arguments()?;
                    let sum = arguments.take::<u8>("a")? + arguments.take::<u8>("b")?;
                    Ok::<_, Status>(Response::from_result(vec![sum].into()))
                }
                "boom" => Ok(Response::from_text("boom")),
                _ => Ok(Response::from_error(b"\x07"[..].into())),
            }
        }));
        let calculator = client.untyped("calculator");
        assert_eq!(calculator.call::<u32>("sum", (1, 2)).await, Ok(3));
        let boom = calculator.call::<()>("boom", ()).await.unwrap_err();
        assert_eq!(boom, Status::unknown("boom").with_details(&b"\xa4boom"[..]));
        let seven = calculator.call::<()>("seven", ()).await.unwrap_err();
        let text = "calculator/seven returned an error of its own";
        assert_eq!(seven, Status::unknown(text).with_details(&b"\x07"[..]));
    }
}
