//! A page of metrics in Prometheus's text format or in `OpenMetrics`: the whole grammar, read into samples.
//!
//! Names and labels may stand in quotes, with any letters; values of labels may hold everything, braces and quotes
//! included; samples may have times and exemplars. A line that has no reading is kept by the name it begins with, so that
//! whoever asks for that name learns that it cannot be told.

use std::collections::{BTreeMap, HashMap};

/// Longest beginning of a line without a reading that is kept, in characters.
const NAME_MAX: usize = 200;

/// Labels of a sample, without its name.
pub(super) type SampleLabels = BTreeMap<String, String>;

/// A kind of metric, as a page declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetricType {
    /// It only grows, until its process starts anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts in buckets, with `_count` and `_sum`.
    Histogram,
    /// Quantiles, with `_count` and `_sum`.
    Summary,
    /// Another kind, or none that is known.
    Other,
}

impl MetricType {
    fn named(word: &str) -> Self {
        match word {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "summary" => Self::Summary,
            _ => Self::Other,
        }
    }

    /// Its word on a page.
    pub(super) const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Counter => Some("counter"),
            Self::Gauge => Some("gauge"),
            Self::Histogram => Some("histogram"),
            Self::Summary => Some("summary"),
            Self::Other => None,
        }
    }
}

/// A series with its value, as a page shows them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PageSample {
    pub(super) labels: SampleLabels,
    /// As it stands there; it may be NaN or infinite.
    pub(super) value: f64,
    /// Its time in Unix seconds, if it has one.
    pub(super) at: Option<f64>,
}

/// A page that was read.
#[derive(Debug, Default)]
pub(super) struct MetricsPage {
    types: HashMap<String, MetricType>,
    /// The newest sample of each series, by name.
    samples: HashMap<String, BTreeMap<SampleLabels, PageSample>>,
    /// What lines without a reading begin with, and how often.
    pub(super) unread: BTreeMap<String, usize>,
}

/// How the times of a page count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeUnit {
    Milliseconds,
    Seconds,
}

impl MetricsPage {
    /// Reads a page. One that ends in `# EOF`, or whose server says so, is `OpenMetrics`. The last line of a page that was
    /// `cut` is dropped: it may be half a line.
    pub(super) fn read(text: &str, cut: bool, open_metrics: bool) -> Self {
        let mut lines: Vec<&str> = text.split('\n').collect();
        if cut {
            lines.pop();
        }
        let unit = if open_metrics || ends(text) { TimeUnit::Seconds } else { TimeUnit::Milliseconds };
        let mut page = Self::default();
        for line in lines.iter().filter(|line| !line.trim().is_empty()) {
            page.line(line, unit);
        }
        page
    }

    fn line(&mut self, line: &str, unit: TimeUnit) {
        let line = line.trim_start_matches([' ', '\t']).trim_end_matches('\r');
        if let Some(comment) = line.strip_prefix('#') {
            return self.comment(comment);
        }
        let Some((name, sample)) = LineReader(line).sample(unit) else {
            let end = line.find(|letter: char| letter == '{' || letter.is_whitespace()).unwrap_or(line.len());
            let name = line.get(..end).unwrap_or_default().chars().take(NAME_MAX).collect();
            *self.unread.entry(name).or_default() += 1;
            return;
        };
        let series = self.samples.entry(name).or_default();
        // Of two that differ in nothing but their value a server keeps the first, and so do we.
        if series.get(&sample.labels).is_none_or(|known| newer(sample.at, known.at)) {
            series.insert(sample.labels.clone(), sample);
        }
    }

    fn comment(&mut self, comment: &str) {
        let Some(rest) = comment.trim_start().strip_prefix("TYPE").filter(|rest| rest.starts_with([' ', '\t'])) else {
            return;
        };
        let mut reader = LineReader(rest.trim_start());
        let Some(name) = reader.name() else { return };
        self.types.insert(name, MetricType::named(reader.0.trim()));
    }

    /// The samples of a name, each series' newest.
    pub(super) fn samples(&self, name: &str) -> Vec<&PageSample> {
        self.samples.get(name).into_iter().flat_map(BTreeMap::values).collect()
    }

    /// The name and labels of the only sample; `None` when there is another number of them.
    pub(super) fn only(&self) -> Option<(String, SampleLabels)> {
        let mut all = self.samples.iter().flat_map(|(name, series)| series.keys().map(move |labels| (name, labels)));
        let (name, labels) = all.next()?;
        all.next().is_none().then(|| (name.clone(), labels.clone()))
    }

    /// The type that the page declares for a sample's name: its own, or that of the metric it is a part of.
    pub(super) fn type_of(&self, name: &str) -> MetricType {
        let own = self.types.get(name).copied();
        let part = || {
            let of = |suffix: &str| self.types.get(name.strip_suffix(suffix)?).copied();
            ["_total", "_count", "_sum", "_bucket"].into_iter().find_map(of)
        };
        own.or_else(part).unwrap_or(MetricType::Other)
    }

    /// The names of the samples that are parts of a metric of this name.
    pub(super) fn parts(&self, name: &str) -> Vec<String> {
        let parts = ["_bucket", "_count", "_sum", "_total"].map(|suffix| format!("{name}{suffix}"));
        parts.into_iter().filter(|part| self.samples.contains_key(part)).collect()
    }
}

/// Whether a page ends as one in `OpenMetrics` must: without that mark it broke off.
pub(super) fn ends(text: &str) -> bool {
    text.trim_end().rsplit('\n').next().is_some_and(|last| last.trim() == "# EOF")
}

/// Whether a sample is of a later time than another. One without a time is of now.
fn newer(at: Option<f64>, than: Option<f64>) -> bool {
    match (at, than) {
        (Some(at), Some(than)) => at > than,
        (None, than) => than.is_some(),
        (Some(_), None) => false,
    }
}

/// What is left of a line.
struct LineReader<'a>(&'a str);

impl LineReader<'_> {
    /// `NAME{LABELS} VALUE [TIME] [# EXEMPLAR]`.
    fn sample(mut self, unit: TimeUnit) -> Option<(String, PageSample)> {
        let (mut name, mut labels) = (None, SampleLabels::new());
        if !self.0.starts_with('{') {
            name = Some(self.name()?);
        }
        self.blanks();
        if self.take('{') {
            self.labels(&mut name, &mut labels)?;
        }
        let before_exemplar = match self.0.find('#') {
            Some(at) => self.0.get(..at)?,
            None => self.0,
        };
        let mut words = before_exemplar.split([' ', '\t']).filter(|word| !word.is_empty());
        let value = value(words.next()?)?;
        let at = words.next().map(|word| time(word, unit)).map_or(Some(None), |at| at.map(Some))?;
        words.next().is_none().then_some(())?;
        Some((name?, PageSample { labels, value, at }))
    }

    /// The labels behind an opening brace. A quoted name without a value is the metric's own.
    fn labels(&mut self, name: &mut Option<String>, labels: &mut SampleLabels) -> Option<()> {
        loop {
            self.blanks();
            if self.take('}') {
                return Some(());
            }
            let quoted = self.0.starts_with('"');
            let label = self.name()?;
            self.blanks();
            if self.take('=') {
                self.blanks();
                let text = self.quoted()?;
                // An empty value is the same as no label.
                if !text.is_empty() {
                    labels.insert(label, text);
                }
            } else if quoted && name.is_none() {
                *name = Some(label);
            } else {
                return None;
            }
            self.blanks();
            if !self.take(',') && !self.0.starts_with('}') {
                return None;
            }
        }
    }

    /// A plain name, or one in quotes.
    fn name(&mut self) -> Option<String> {
        if self.0.starts_with('"') {
            return self.quoted();
        }
        let ends = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == ':');
        let end = self.0.find(ends).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at_checked(end)?;
        let plain = !name.is_empty() && !name.starts_with(|letter: char| letter.is_ascii_digit());
        plain.then(|| {
            self.0 = rest;
            name.to_owned()
        })
    }

    /// A text in quotes, with `\\`, `\"` and `\n` in it.
    fn quoted(&mut self) -> Option<String> {
        let mut letters = self.0.strip_prefix('"')?.char_indices();
        let mut text = String::new();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.0 = self.0.get(at + 2..)?;
                    return Some(text);
                }
                '\\' => match letters.next()?.1 {
                    'n' => text.push('\n'),
                    letter @ ('\\' | '"') => text.push(letter),
                    other => text.extend(['\\', other]),
                },
                letter => text.push(letter),
            }
        }
        None
    }

    fn blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn take(&mut self, sign: char) -> bool {
        match self.0.strip_prefix(sign) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }
}

/// A value: a decimal number, a hexadecimal one as C writes it, NaN or an infinity.
fn value(word: &str) -> Option<f64> {
    word.parse().ok().or_else(|| hexadecimal(word))
}

/// `0x1.8p3`, whose exponent is a power of two.
fn hexadecimal(word: &str) -> Option<f64> {
    let (sign, digits) =
        word.strip_prefix('-').map_or((1.0, word.strip_prefix('+').unwrap_or(word)), |rest| (-1.0, rest));
    let digits = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"))?;
    let (digits, power) = digits.split_once(['p', 'P'])?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let mut number = 0.0;
    for digit in whole.chars() {
        number = number * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let mut scale = 1.0;
    for digit in part.chars() {
        scale /= 16.0;
        number += f64::from(digit.to_digit(16)?) * scale;
    }
    Some(sign * number * 2.0_f64.powi(power.parse().ok()?))
}

fn time(word: &str, unit: TimeUnit) -> Option<f64> {
    let time: f64 = word.parse().ok().filter(|time: &f64| time.is_finite())?;
    Some(match unit {
        TimeUnit::Milliseconds => time / 1000.0,
        TimeUnit::Seconds => time,
    })
}

#[cfg(test)]
mod tests;
