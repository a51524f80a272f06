//! Nothing outside the rules can build a transition: these programs must not compile, for the reason written beside them.

#[test]
fn a_transition_cannot_be_forged() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
