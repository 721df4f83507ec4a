use doge_base::Env;
use std::time::SystemTime;

use super::setting::{HOUR, Setting, TTL, later};
use crate::file::sighting::Moment;

#[test]
fn an_entry_counts_for_its_ttl_and_is_removed_after_twice_that() {
    let mut setting = Setting::new();
    let now = Moment::now(&Env::system());
    assert_eq!(setting.alive(now), 1);
    assert_eq!(setting.alive(later(now, TTL - TTL / 10)), 1);
    assert_eq!(setting.alive(later(now, TTL + TTL / 10)), 0);
    assert!(setting.presence.path().exists());
    assert_eq!(setting.alive(later(now, TTL * 2 + TTL / 10)), 0);
    assert!(!setting.presence.path().exists());
}

#[test]
fn an_old_entry_is_dead_at_first_sight() {
    let mut setting = Setting::new();
    setting.stamp(SystemTime::now() - TTL * 3 / 2);
    assert_eq!(setting.alive(Moment::now(&Env::system())), 0);
    setting.presence.renew().unwrap();
    assert_eq!(setting.alive(Moment::now(&Env::system())), 1);
}

#[test]
fn an_entry_stamped_in_the_future_dies_and_is_removed_too() {
    let mut setting = Setting::new();
    let now = Moment::now(&Env::system());
    setting.stamp(now.wall + HOUR);
    assert_eq!(setting.alive(now), 1);
    assert_eq!(setting.alive(later(now, TTL * 3 / 2)), 0);
    setting.alive(later(now, TTL * 5 / 2));
    assert!(!setting.presence.path().exists());
}

#[test]
fn a_clock_set_forward_kills_nobody() {
    let mut setting = Setting::new();
    let now = Moment::now(&Env::system());
    assert_eq!(setting.alive(now), 1);
    let wall = now.wall + HOUR;
    assert_eq!(setting.alive(Moment { wall, ..now }), 1);
}
