use super::{Call, meta};
use crate::schema::MethodSchema;

/// What the good calls of a connection have shown about its meta map; the strongest sign counts.
///
/// A call shows something only when it was found good: one that is an error may lack an argument, or have one too many,
/// and then looks like a call of the other kind.
#[derive(Debug, Default)]
pub(super) struct Shown(Option<Sign>);

/// What one call shows, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    /// There is no map: with one, the call would lack an argument. Weak, since where a method takes a map, a call that
    /// lacks the argument behind its meta map is good as well.
    Lacking,
    /// There is a map: without one, the call would have an argument too many, as the call of a newer client has.
    Surplus,
    /// There is no map: the first param is something else, or there is none. Doge's client puts one in front of all
    /// calls, so no other call of the connection has one.
    NoMap,
}

/// How a call is read, and what that shows when the call is good.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Whether the first param is the meta map.
    pub(super) has_meta: bool,
    pub(super) shows: Option<Sign>,
}

const NIL: [u8; 1] = [0xC0];

impl Shown {
    /// Notes what a good call has shown.
    pub(super) fn note(&mut self, sign: Sign) {
        self.0 = self.0.max(Some(sign));
    }

    /// Whether a call of this connection may have a meta map. What a map says of itself does not count once a call has shown
    /// that there is none: the map is an argument then, whose content may be somebody else's.
    pub(super) fn may_have_meta(&self) -> bool {
        self.0 != Some(Sign::NoMap)
    }

    /// Reads a call of a method whose schema is known.
    pub(super) fn read(&self, call: &Call, schema: &MethodSchema) -> Reading {
        let fits = fitting(schema);
        let count = call.count() as usize;
        let Some(first) = call.first().filter(|first| meta::is_meta(first)) else {
            return Reading::without(fits(count).then_some(Sign::NoMap));
        };
        if self.may_have_meta() && meta::is_own(first) {
            return Reading::with(None);
        }
        match (self.0, fits(count - 1), fits(count)) {
            (Some(Sign::NoMap), ..) => Reading::without(None),
            (Some(Sign::Surplus), ..) => Reading::with(None),
            (Some(Sign::Lacking), true, false) if !meta::looks_like_meta(first) => {
                Reading::without(None)
            }
            // Clients without the map may send nil to a method that takes nothing.
            (_, true, false) if first == NIL => Reading::with(None),
            (_, true, false) => Reading::with(Some(Sign::Surplus)),
            (_, false, true) if meta::looks_like_no_argument(first) => Reading::without(None),
            (_, false, true) => Reading::without(Some(Sign::Lacking)),
            (Some(Sign::Lacking), ..) => Reading::without(None),
            (None, ..) if meta::looks_like_meta(first) => Reading::with(None),
            (None, ..) => Reading::without(None),
        }
    }
}

impl Reading {
    fn with(shows: Option<Sign>) -> Self {
        Self {
            has_meta: true,
            shows,
        }
    }

    fn without(shows: Option<Sign>) -> Self {
        Self {
            has_meta: false,
            shows,
        }
    }
}

impl Sign {
    /// The number of a call that shows this when it is good. The two bits below the highest one are free: a connection
    /// has fewer calls.
    pub(super) fn tag(sign: Option<Self>, number: u64) -> u64 {
        let bits = match sign {
            None => 0,
            Some(Self::Lacking) => 1,
            Some(Self::Surplus) => 2,
            Some(Self::NoMap) => 3,
        };
        number | bits << SHIFT
    }

    /// Takes the number of a call apart again.
    pub(super) fn untag(tagged: u64) -> (Option<Self>, u64) {
        let sign = match tagged >> SHIFT & 3 {
            1 => Some(Self::Lacking),
            2 => Some(Self::Surplus),
            3 => Some(Self::NoMap),
            _ => None,
        };
        (sign, tagged & !(3 << SHIFT))
    }
}

const SHIFT: u32 = 61;

/// Whether a method can be called with so many arguments.
fn fitting(schema: &MethodSchema) -> impl Fn(usize) -> bool {
    let arguments = schema.arguments();
    let least = arguments.iter().filter(|it| !it.optional()).count();
    let counts = least..=arguments.len();
    move |count| counts.contains(&count)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{Reading, Shown, Sign};
    use crate::{
        msgpack_rpc::Message,
        schema::{ArgumentSchema, MethodSchema},
    };

    static ARGUMENTS: [ArgumentSchema; 2] = [
        ArgumentSchema::new("a", "Value"),
        ArgumentSchema::new("b", "u64").with_default(),
    ];

    /// Takes one or two arguments.
    static METHOD: MethodSchema = MethodSchema::new("t", "m", 0).with_arguments(&ARGUMENTS);

    fn read(shown: Option<Sign>, params: &[u8]) -> Reading {
        let message = [b"\x94\x00\x01\xa1m", params].concat();
        let Message::Request { call, .. } = Message::parse(BytesMut::from(&message[..])) else {
            panic!("{params:02x?}")
        };
        Shown(shown).read(&call, &METHOD)
    }

    const ALL: [Option<Sign>; 4] = [
        None,
        Some(Sign::Lacking),
        Some(Sign::Surplus),
        Some(Sign::NoMap),
    ];

    #[test]
    fn each_reading_follows_from_the_params_and_what_was_shown_before() {
        use Sign::{Lacking, NoMap, Surplus};
        let (with, without) = (Reading::with, Reading::without);
        // What comes of it where nothing was shown, and where each of the three was.
        for (params, readings) in [
            // No map in front; with an argument too many it shows nothing.
            (&b"\x91\x07"[..], ALL.map(|_| without(Some(NoMap)))),
            (b"\x93\x07\x08\x09", ALL.map(|_| without(None))),
            (b"\x90", ALL.map(|_| without(None))),
            // A map of ours, or an argument that somebody made to look so.
            (
                b"\x91\x81\xacdoge-service\xa1t",
                [with(None), with(None), with(None), without(None)],
            ),
            // One argument, or a map and none.
            (
                b"\x91\x81\xa1k\xa1v",
                [
                    without(Some(Lacking)),
                    without(Some(Lacking)),
                    with(None),
                    without(None),
                ],
            ),
            (
                b"\x91\x80",
                [without(None), without(None), with(None), without(None)],
            ),
            // Two arguments, or a map and one.
            (
                b"\x92\x81\xa1k\xa1v\x07",
                [with(None), without(None), with(None), without(None)],
            ),
            (
                b"\x92\x81\xa1k\x07\x07",
                [without(None), without(None), with(None), without(None)],
            ),
            // Three arguments, which is one too many, or a map and two.
            (
                b"\x93\x81\xa1k\xa1v\x07\x08",
                [
                    with(Some(Surplus)),
                    with(Some(Surplus)),
                    with(None),
                    without(None),
                ],
            ),
            (
                b"\x93\x81\xa1k\x07\x07\x08",
                [
                    with(Some(Surplus)),
                    without(None),
                    with(None),
                    without(None),
                ],
            ),
            (
                b"\x93\xc0\x07\x08",
                [with(None), with(None), with(None), without(None)],
            ),
            // Too many either way.
            (
                b"\x94\xc0\x07\x08\x09",
                [with(None), without(None), with(None), without(None)],
            ),
        ] {
            for (shown, reading) in ALL.into_iter().zip(readings) {
                assert_eq!(read(shown, params), reading, "{params:02x?} {shown:?}");
            }
        }
    }

    #[test]
    fn the_strongest_sign_stays() {
        let mut shown = Shown::default();
        for (sign, strongest) in [
            (Sign::Lacking, Sign::Lacking),
            (Sign::Surplus, Sign::Surplus),
            (Sign::Lacking, Sign::Surplus),
            (Sign::NoMap, Sign::NoMap),
            (Sign::Surplus, Sign::NoMap),
        ] {
            shown.note(sign);
            assert_eq!(shown.0, Some(strongest));
        }
    }

    #[test]
    fn a_sign_travels_in_the_number_of_its_call() {
        for sign in ALL {
            for number in [0, 7, 1 << 60, 1 << 63 | 5] {
                assert_eq!(Sign::untag(Sign::tag(sign, number)), (sign, number));
            }
        }
    }
}
