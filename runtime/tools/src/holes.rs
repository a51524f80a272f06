//! Holes for arguments in the texts of a section: how a mistake in one is told, and which of them may be without a value.

use provost_expr::{ExprError, Expression, Scope, Template, Type};
use provost_form::{ErrorLog, Position};

/// Reports a mistake in a text that stands at this place.
pub(crate) fn mistake(place: Position, error: &ExprError, log: &mut ErrorLog) {
    let hint = if error.hint.is_empty() { "write {{ args.NAME }}".to_owned() } else { error.hint.clone() };
    log.report(place, format!("column {} of the text: {}", error.column, error.message), hint);
}

/// Reports all mistakes in one text.
pub(crate) fn mistakes(place: Position, errors: &[ExprError], log: &mut ErrorLog) {
    for error in errors {
        mistake(place, error, log);
    }
}

/// The first hole of a text that may be without a value.
pub(crate) fn absent<'a>(template: &'a Template, scope: &Scope) -> Option<&'a Expression> {
    template.expressions().find(|expression| may_be_absent(expression, scope))
}

/// Whether an expression reads an optional argument, and has no value of its own in its place.
fn may_be_absent(expression: &Expression, scope: &Scope) -> bool {
    let mut reads = expression.reads().into_iter();
    !expression.text().contains("orValue(")
        && reads.any(|path| matches!(scope.at(&path.names), Some(Type::Optional(_))))
}
