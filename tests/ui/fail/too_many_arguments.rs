//! A method takes up to sixteen arguments.

use doge_rpc::{Status, service};

type N = u8;

#[service]
trait ManyService {
    #[rustfmt::skip]
    async fn right(
        &self, a: N, b: N, c: N, d: N, e: N, f: N, g: N, h: N, i: N, j: N, k: N, l: N, m: N, n: N, o: N, p: N,
    ) -> Result<N, Status>;

    #[rustfmt::skip]
    async fn wrong(
        &self, a: N, b: N, c: N, d: N, e: N, f: N, g: N, h: N, i: N, j: N, k: N, l: N, m: N, n: N, o: N, p: N, q: N,
    ) -> Result<N, Status>;
}

fn main() {}
