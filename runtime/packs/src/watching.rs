//! What an agent measures, as written: one tool with comparisons, or a table of measures with expressions over them.

use std::time::Duration;

use provost_domain::ids::ToolName;
use provost_domain::pack::{Baseline, MeasureSpec, SeveralWatch, WatchPlan, WatchSpec};
use provost_domain::tool::Catalog;
use provost_expr::{Syntax, TemplateTree};
use provost_form::{At, Count, ErrorLog, FromYaml, Names, Period, YamlNode, table, words};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::conditions::{RawCondition, comparisons, expression};

words! {
    impl RawAbsent = RawAbsent::CannotTell;
}

/// A watch as written.
#[derive(Debug)]
pub(crate) enum RawWatch {
    Single(RawSingle),
    Several(RawSeveral),
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawSingle {
        pub(crate) tool: At<String>,
        pub(crate) args: At<Names<YamlNode>> = At::default(),
        pub(crate) until: At<Vec<RawCondition>>,
        pub(crate) every: Period,
        pub(crate) consecutive: Count<1>,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawSeveral {
        pub(crate) every: Period,
        pub(crate) settle: Duration = Duration::ZERO,
        pub(crate) within: At<Period>,
        pub(crate) measure: At<Names<RawMeasure>>,
        pub(crate) recovered: At<String>,
        pub(crate) worse: Option<At<String>> = None,
        pub(crate) consecutive: Count<1> = Count(1),
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawMeasure {
        pub(crate) tool: At<String>,
        pub(crate) args: At<Names<YamlNode>> = At::default(),
        pub(crate) value: At<String>,
        pub(crate) baseline: Option<At<RawBaseline>> = None,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawBaseline {
        pub(crate) ago: Period,
        pub(crate) absent: RawAbsent = RawAbsent::CannotTell,
    }
}

/// What a baseline that nobody knows means for the conditions that read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawAbsent {
    CannotTell,
    Ignore,
}

impl FromYaml for RawWatch {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if node.get("measure").is_some() {
            return RawSeveral::read(node, log).map(Self::Several);
        }
        RawSingle::read(node, log).map(Self::Single)
    }

    fn blank() -> Self {
        Self::Single(RawSingle::blank())
    }
}

impl RawWatch {
    /// The tools that it measures with.
    pub(crate) fn tools(&self) -> Vec<&At<String>> {
        match self {
            Self::Single(watch) => vec![&watch.tool],
            Self::Several(watch) => watch.measure.iter().map(|(_, measure)| &measure.tool).collect(),
        }
    }

    /// How long it measures, where it says so itself.
    pub(crate) fn within(&self) -> Option<&At<Period>> {
        match self {
            Self::Single(_) => None,
            Self::Several(watch) => Some(&watch.within),
        }
    }

    /// The watch; nothing where a part of it was refused.
    pub(crate) fn resolve(&self, catalog: &Catalog) -> Option<WatchPlan> {
        Some(match self {
            Self::Single(watch) => WatchPlan::Single(WatchSpec {
                tool: ToolName::new(&watch.tool.value),
                args: json!(watch.args.map(YamlNode::value)),
                until: comparisons(&watch.until),
                every: watch.every.0,
                consecutive: watch.consecutive.0,
            }),
            Self::Several(watch) => WatchPlan::Several(SeveralWatch {
                measures: watch
                    .measure
                    .iter()
                    .map(|(name, measure)| Some((name.value.clone(), measure.resolve(&name.value, watch, catalog)?)))
                    .collect::<Option<_>>()?,
                recovered: expression(&watch.recovered)?,
                worse: watch.worse.as_ref().map(|worse| expression(worse).ok_or(())).transpose().ok()?,
                settle: watch.settle,
                every: watch.every.0,
                consecutive: watch.consecutive.0,
            }),
        })
    }
}

impl RawSeveral {
    /// Where a reading of a measure is read: `now`, `before` or `baseline`.
    pub(crate) fn reads(&self, measure: &str, part: &str) -> bool {
        let expressions = [Some(&self.recovered), self.worse.as_ref()].into_iter().flatten().filter_map(expression);
        expressions.flat_map(|own| own.reads()).any(|read| match read.names.as_slice() {
            [name, of, ..] => name == measure && of == part,
            [name] => name == measure,
            [] => false,
        })
    }
}

impl RawMeasure {
    /// Its arguments, in the languages that the tool says they are written in.
    pub(crate) fn arguments(&self, catalog: &Catalog) -> Result<TemplateTree, Vec<provost_expr::TreeError>> {
        let schema = catalog.get(self.tool.as_str()).map(|spec| spec.schema.raw());
        let syntax = |pointer: &str| {
            let own = schema?.get("properties")?.get(pointer.strip_prefix('/')?)?;
            Syntax::named(own.get("x-syntax").and_then(Value::as_str)?)
        };
        TemplateTree::parse(&json!(self.args.map(YamlNode::value)), &syntax)
    }

    fn resolve(&self, name: &str, watch: &RawSeveral, catalog: &Catalog) -> Option<MeasureSpec> {
        Some(MeasureSpec {
            tool: ToolName::new(&self.tool.value),
            args: self.arguments(catalog).ok()?,
            value: expression(&self.value)?,
            before: watch.reads(name, "before"),
            baseline: self
                .baseline
                .as_ref()
                .map(|baseline| Baseline { ago: baseline.ago.0, ignore_absent: baseline.absent == RawAbsent::Ignore }),
        })
    }
}
