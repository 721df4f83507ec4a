//! What `#[service]` says about traits that cannot be services, and what it accepts.

/// One test, since both build the same dependencies, and one would wait for the other.
#[test]
fn misuse_is_reported_where_it_is_with_its_mend_and_unusual_traits_are_accepted() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
