//! Wrong expressions, each with its message and column: the table is `wrong.txt`.

use provost_expr::{Expression, Template};

use crate::checks::scope;

/// The table: an expression, then its mistakes, indented.
const TABLE: &str = include_str!("wrong.txt");

fn mistakes(text: &str) -> Vec<String> {
    let found = if text.contains("{{") {
        Template::parse(text).map_err(|error| vec![error]).and_then(|template| template.check(&scope()).map(|_| ()))
    } else {
        let parsed = Expression::parse(text).map_err(|error| vec![error]);
        parsed.and_then(|expression| expression.check_condition(&scope()))
    };
    found.err().into_iter().flatten().map(|error| error.to_string()).collect()
}

#[test]
fn every_wrong_expression_has_its_message_and_column() {
    let (mut written, mut count) = (Vec::new(), 0);
    for line in TABLE.lines().filter(|line| !line.starts_with("  ") && !line.is_empty()) {
        count += 1;
        let found = mistakes(line);
        assert!(!found.is_empty(), "{line} is right");
        written.push(line.to_owned());
        written.extend(found.iter().map(|mistake| format!("  {mistake}")));
    }
    assert!(count >= 60, "{count} expressions");
    assert_eq!(written, TABLE.lines().collect::<Vec<_>>());
}

#[test]
fn lines_are_counted() {
    let error = Expression::parse("fields.service ==\n  \"a\" &&\n  é").unwrap_err();
    assert_eq!((error.line, error.column, error.offset), (3, 3, 29));
    assert!(error.to_string().starts_with("line 3, column 3: "), "{error}");
    let error = Expression::parse("\"é😀\" == fields.gone").unwrap().check(&scope()).unwrap_err();
    assert_eq!(error[0].column, 16);
}
