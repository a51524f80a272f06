//! Which of the configured models is asked: the agent's own, or one that stands in for it while its server is away.

use std::iter;

use crate::model::ModelOrigin;
use crate::port::Models;

/// On which occasion a model is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModelChoice {
    /// A question is asked for the first time.
    First,
    /// A question waits for this model already.
    Waiting(ModelOrigin),
    /// This model has just failed in a way that may pass.
    Failed(ModelOrigin),
}

impl ModelChoice {
    /// The name of the configured model to ask in the place of the one of this name, or that one. `None` where the servers of
    /// all are away, or no other one is there for a model that failed.
    pub(crate) fn of<'a>(&self, models: &'a dyn Models, name: &'a str) -> Option<&'a str> {
        let present = || {
            let all = iter::once(name).chain(models.fallbacks(name).iter().map(String::as_str));
            all.filter(|name| !models.is_away(name))
        };
        let is_at = |name: &str, origin: &ModelOrigin| models.origin(name).is_ok_and(|own| own == *origin);
        match self {
            Self::First => present().next(),
            Self::Waiting(origin) => present().find(|name| is_at(name, origin)).or_else(|| present().next()),
            Self::Failed(origin) => present().find(|name| !is_at(name, origin)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ModelFailure;
    use crate::model::ModelRequest;

    /// The model `a` with the fallbacks `b` and `c`; the servers of some are away.
    #[derive(Debug)]
    struct Three(&'static [&'static str], Vec<String>);

    impl Models for Three {
        fn origin(&self, name: &str) -> Result<ModelOrigin, ModelFailure> {
            Ok(ModelOrigin::internal(name))
        }

        fn fallbacks(&self, name: &str) -> &[String] {
            if name == "a" { &self.1 } else { &[] }
        }

        fn is_away(&self, name: &str) -> bool {
            self.0.contains(&name)
        }

        fn body(&self, _: &ModelRequest) -> Result<Vec<u8>, ModelFailure> {
            Ok(Vec::new())
        }
    }

    #[track_caller]
    fn check(choice: &ModelChoice, away: &'static [&'static str], expect: Option<&str>) {
        let models = Three(away, vec!["b".to_owned(), "c".to_owned()]);
        assert_eq!(choice.of(&models, "a"), expect);
    }

    #[test]
    fn the_first_whose_server_is_there_is_asked() {
        check(&ModelChoice::First, &[], Some("a"));
        check(&ModelChoice::First, &["a"], Some("b"));
        check(&ModelChoice::First, &["a", "b"], Some("c"));
        check(&ModelChoice::First, &["a", "b", "c"], None);
    }

    #[test]
    fn the_one_that_failed_is_not_asked_next() {
        let failed = |name| ModelChoice::Failed(ModelOrigin::internal(name));
        check(&failed("a"), &[], Some("b"));
        check(&failed("b"), &["a"], Some("c"));
        check(&failed("b"), &["a", "c"], None);
    }

    /// Red if a session that is taken up again went back to the model that failed before.
    #[test]
    fn the_one_that_is_waited_for_stays_unless_it_is_away() {
        let waiting = ModelChoice::Waiting(ModelOrigin::internal("b"));
        check(&waiting, &[], Some("b"));
        check(&waiting, &["b"], Some("a"));
    }
}
