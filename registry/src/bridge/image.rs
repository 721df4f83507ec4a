//! What an instance of one registry looks like in another.

use doge_base::{Address, Env};
use uuid::Uuid;

use crate::Instance;

/// What ids begin with that a bridge gave. All that every registry keeps of an instance is its id and its address.
const PREFIX: &str = "doge-bridge-";
/// For those who wonder where it comes from.
const TAG: &str = "bridge-of";

/// A new image of `original`.
pub(super) fn image_of(original: &Instance, env: &Env) -> Instance {
    original
        .renamed(format!("{PREFIX}{}", env.uuid()))
        .with_tag(TAG, original.id())
}

/// Whether a bridge made this one, whichever it was.
pub(super) fn is_image(instance: &Instance) -> bool {
    let name = instance.id().strip_prefix(PREFIX);
    name.is_some_and(|name| Uuid::try_parse(name).is_ok())
}

/// Where an instance is, whichever way it is spoken to.
pub(super) fn place_of(instance: &Instance) -> String {
    let text = instance.address();
    Address::of_instance(text).map_or_else(|_| text.to_owned(), |it| it.location().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServiceKey;

    fn named(id: &str) -> Instance {
        Instance::named(id, ServiceKey::new("s"), "tcp://a:1")
    }

    #[test]
    fn an_image_is_the_same_under_an_id_that_says_so() {
        let original = named("n1").with_weight(7).with_zone("z").with_tag("k", "v");
        let env = Env::seeded(1);
        let (image, other) = (image_of(&original, &env), image_of(&original, &env));
        assert!(is_image(&image) && !is_image(&original));
        assert_ne!(image.id(), other.id());
        let expected = original.renamed(image.id().to_owned());
        assert_eq!(image, expected.with_tag("bridge-of", "n1"));
        assert!(crate::key::validate_name("instance id", image.id()).is_ok());
    }

    #[test]
    fn what_somebody_else_named_is_no_image() {
        for id in [
            "",
            "n1",
            "doge-bridge-",
            "doge-bridge-1",
            "0b0f5c1e-8f6e-4c56-9a55-0c8a4f2f6f3d",
        ] {
            assert!(!is_image(&named(id)), "{id:?}");
        }
    }

    #[test]
    fn a_place_has_no_dialect() {
        let at = |address: &str| Instance::new(ServiceKey::new("s"), address);
        for (address, place) in [
            ("tcp://a:1", "tcp://a:1"),
            ("doge://a:1", "tcp://a:1"),
            ("a:1", "tcp://a:1"),
            ("unix:///run/x", "unix:///run/x"),
        ] {
            assert_eq!(place_of(&at(address)), place);
        }
    }
}
