//! What `#[service]` says about traits that cannot be services, and what it accepts.

#[test]
fn misuse_is_reported_where_it_is_with_its_mend() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn unusual_traits_are_accepted() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}
