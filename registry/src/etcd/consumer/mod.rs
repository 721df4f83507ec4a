//! Following the instances of a service.

mod follower;
mod listing;
mod reading;
mod stored;
mod stream;

pub(super) use self::follower::Follower;
