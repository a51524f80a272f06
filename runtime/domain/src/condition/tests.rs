use proptest::prelude::*;
use serde_json::json;

use super::*;

const ALL: [Op; 9] = [Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Contains, Op::Exists, Op::Absent];

fn holds(found: &Value, op: Op, value: &Value) -> bool {
    let condition = Condition { path: "a.1.found".to_owned(), op, value: value.clone() };
    condition.holds(&json!({"a": [null, {"found": found}]}))
}

#[track_caller]
fn check(found: &Value, op: Op, value: &Value, expect: bool) {
    assert_eq!(holds(found, op, value), expect, "{found} {op:?} {value}");
}

#[test]
fn comparisons() {
    let half = json!(0.5);
    check(&half, Op::Lt, &json!(1), true);
    check(&half, Op::Lt, &json!(0.5), false);
    check(&half, Op::Le, &json!(0.5), true);
    check(&half, Op::Gt, &json!(0), true);
    check(&half, Op::Ge, &json!(0.6), false);
    check(&half, Op::Eq, &json!(0.5), true);
    check(&half, Op::Ne, &json!(0.5), false);
    check(&half, Op::Lt, &json!("text"), false);
    check(&half, Op::Exists, &Value::Null, true);
    check(&half, Op::Absent, &Value::Null, false);
    check(&json!("b"), Op::Gt, &json!("a"), true);
    check(&json!("hello"), Op::Contains, &json!("ell"), true);
    check(&json!([1, "x"]), Op::Contains, &json!(1.0), true);
    check(&json!([1, "x"]), Op::Contains, &json!("y"), false);
    check(&json!({"x": 1}), Op::Contains, &json!("x"), false);
}

#[test]
fn numbers_are_equal_by_value_and_integers_exactly() {
    check(&json!(1), Op::Eq, &json!(1.0), true);
    check(&json!({"a": [1, {"b": 2.0}]}), Op::Eq, &json!({"a": [1.0, {"b": 2}]}), true);
    check(&json!({"a": 1}), Op::Eq, &json!({"a": 1, "b": 1}), false);
    check(&json!(9_007_199_254_740_993_i64), Op::Eq, &json!(9_007_199_254_740_992_i64), false);
    check(&json!(u64::MAX), Op::Gt, &json!(i64::MIN), true);
    check(&json!("1"), Op::Eq, &json!(1), false);
}

#[test]
fn a_path_that_leads_nowhere_fails_every_comparison_but_absent() {
    for data in [json!({"a": [1]}), json!({"a": {"b": null}}), json!({}), json!(7), Value::Null] {
        for op in ALL {
            let condition = Condition { path: "a.b".to_owned(), op, value: Value::Null };
            assert_eq!(condition.holds(&data), op == Op::Absent, "{op:?} {data}");
        }
    }
}

#[test]
fn lookup_walks_objects_and_lists() {
    let data = json!({"a": [{"b": 1}], "": 2});
    assert_eq!(lookup(&data, "a.0.b"), Some(&json!(1)));
    assert_eq!(lookup(&data, ""), Some(&json!(2)));
    for nowhere in ["a.1", "a.-1", "a.b", "a.0.b.c", "a.", ".a", "a.99999999999999999999"] {
        assert_eq!(lookup(&data, nowhere), None, "{nowhere}");
    }
}

#[test]
fn all_conditions_must_hold() {
    let condition = |op| Condition { path: "a".to_owned(), op, value: json!(1) };
    assert!(all_hold(&[], &json!({})));
    assert!(all_hold(&[condition(Op::Eq), condition(Op::Exists)], &json!({"a": 1})));
    assert!(!all_hold(&[condition(Op::Eq), condition(Op::Gt)], &json!({"a": 1})));
}

#[test]
fn what_was_not_measured_cannot_be_told() {
    let met =
        |found: Value, op, value: Value| Condition { path: "a".to_owned(), op, value }.met(&json!({ "a": found }));
    for op in [Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Contains] {
        for found in [Value::Null, json!("NaN"), json!("+Inf"), json!({"count": 1})] {
            assert_eq!(met(found.clone(), op, json!(0.3)), None, "{found} {op:?}");
        }
        assert_eq!(Condition { path: "b".to_owned(), op, value: json!(1) }.met(&json!({"a": 1})), None, "{op:?}");
    }
    assert_eq!((met(json!(0.2), Op::Lt, json!(0.3)), met(json!(0.4), Op::Lt, json!(0.3))), (Some(true), Some(false)));
    assert_eq!((met(json!("a"), Op::Ne, json!("b")), met(json!(1), Op::Eq, json!(1.0))), (Some(true), Some(true)));
    assert_eq!(
        (met(Value::Null, Op::Exists, Value::Null), met(Value::Null, Op::Absent, Value::Null)),
        (Some(false), Some(true))
    );
    assert_eq!(
        (met(json!([1]), Op::Contains, json!(2)), met(json!("ab"), Op::Contains, json!("b"))),
        (Some(false), Some(true))
    );
}

#[test]
fn one_that_is_not_met_decides_and_one_that_cannot_be_told_leaves_it_open() {
    let (low, high, gone) = (("low", Op::Lt), ("high", Op::Lt), ("gone", Op::Lt));
    let data = json!({"low": 1, "high": 9});
    for (parts, expect) in [
        (&[][..], Some(true)),
        (&[low], Some(true)),
        (&[low, high], Some(false)),
        (&[low, gone], None),
        (&[gone, high], Some(false)),
        (&[high, gone], Some(false)),
        (&[gone, low], None),
    ] {
        let all: Vec<_> =
            parts.iter().map(|(path, op)| Condition { path: (*path).to_owned(), op: *op, value: json!(5) }).collect();
        assert_eq!(all_met(&all, &data), expect, "{parts:?}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ab]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[ab0]", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_condition_on_any_data_gives_an_answer(data in values(), value in values(), path in "[ab0.]{0,6}") {
        let answers = ALL.map(|op| Condition { path: path.clone(), op, value: value.clone() }.holds(&data));
        let [eq, ne, _, _, _, _, _, exists, absent] = answers;
        prop_assert_ne!(exists, absent);
        prop_assert_eq!(eq != ne, exists);
        prop_assert!(exists || answers.iter().filter(|answer| **answer).count() == 1);
    }

    #[test]
    fn what_is_told_is_what_holds(data in values(), value in values(), path in "[ab0.]{0,6}") {
        for op in ALL {
            let condition = Condition { path: path.clone(), op, value: value.clone() };
            prop_assert!(condition.met(&data).is_none_or(|met| met == condition.holds(&data)));
        }
    }

    #[test]
    fn every_value_but_null_equals_itself(value in values()) {
        prop_assert_eq!(holds(&value, Op::Eq, &value), !value.is_null());
    }

    #[test]
    fn two_numbers_are_in_exactly_one_order(a in -5.0..5.0_f64, b in -5_i64..5, whole: bool) {
        let (a, b) = (if whole { json!(a.trunc()) } else { json!(a) }, json!(b));
        let orders = [Op::Lt, Op::Eq, Op::Gt].map(|op| holds(&a, op, &b));
        prop_assert_eq!(orders.iter().filter(|holds| **holds).count(), 1);
        prop_assert_eq!(holds(&a, Op::Le, &b), !holds(&a, Op::Gt, &b));
        prop_assert_eq!(holds(&a, Op::Ge, &b), !holds(&a, Op::Lt, &b));
    }
}
