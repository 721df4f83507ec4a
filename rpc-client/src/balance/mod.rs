//! Which endpoint takes a call.
//!
//! - [`Balancing`]: what a user says about it, with [`LoadBalancing`], [`ConsistentHash`], [`HashKey`] and [`SlowStart`].
//! - [`EndpointLoad`], [`InFlight`], [`Sample`]: what is known of one endpoint, and how calls there tell it;
//!   [`MAX_PUSHBACK`] bounds how long an endpoint is left alone.
//! - [`Balancer`]: the choice among all endpoints, made anew when they change; [`Nearness`] says which come first.
//! - [`subset()`]: the endpoints that one client of many uses.
//!
//! A [`Cluster`](crate::Cluster) balances by itself; these are for those who bring their own connections.
//!
//! ```
//! use std::sync::Arc;
//!
//! use doge_base::Env;
//! use doge_rpc_client::balance::{Balancer, Balancing, Nearness, EndpointLoad, Sample};
//! use tokio::time::Instant;
//!
//! let (now, env) = (Instant::now(), Env::system());
//! let node = |address| Arc::new(EndpointLoad::new(address, 100, now, &env));
//! let nodes = ["tcp://a:1", "tcp://b:1"].map(node);
//! let with_nearness = nodes.iter().map(|node| (Arc::clone(node), Nearness::Far));
//! let balancer = Balancer::new(&Balancing::default(), with_nearness.collect(), now, &env);
//!
//! let place = balancer.pick(now, None, |place| place != 0).expect("one of two may be picked");
//! let call = nodes[place].begin(now);
//! call.end(Instant::now(), Sample::Answered);
//! assert_eq!(place, 1);
//! ```
//!
//! Picking takes no lock and allocates nothing. It looks at a few endpoints however many there are, unless most of them
//! may not be picked: then it looks through all. What is computed of all endpoints is computed anew by the pick that finds
//! it out of date: by weights and ages when they change, and for the default policy by latencies and failures, each 10 ms.
//! All that is left to chance is drawn from the [`Env`](doge_base::Env) that a balancer is made with.

mod balancer;
mod choices;
mod clock;
mod config;
mod current_shares;
mod decay;
mod endpoint_load;
mod in_flight;
mod key;
mod latency;
mod odds;
mod penalty;
mod ring;
mod shares;
mod slow_start;
mod subset;
mod tier;
mod turns;

pub(crate) use self::subset::ranked;
pub use self::{
    balancer::{Balancer, Nearness},
    config::{Balancing, ConsistentHash, LoadBalancing},
    endpoint_load::{EndpointLoad, MAX_PUSHBACK},
    in_flight::{InFlight, Sample},
    key::HashKey,
    slow_start::SlowStart,
    subset::subset,
};
