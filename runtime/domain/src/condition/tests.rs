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
