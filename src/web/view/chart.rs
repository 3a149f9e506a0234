//! Small charts that stand inside a line of text or a cell of a table, with the same figures in words.

use std::fmt::Write as _;

use super::state::escape;
use super::words::{Count, Markup};

/// A row of bars, one a day or one a class, oldest or smallest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bars {
    /// What the bars count: `Erased per day, last 30 days`.
    pub what: String,
    /// The heights.
    pub values: Vec<u64>,
}

impl Bars {
    /// The drawing; its text equivalent gives the sum and the largest bar.
    pub fn draw(&self) -> Markup {
        let most = self.values.iter().copied().max().unwrap_or(0);
        let sum = self.values.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
        let width = self.values.len() * 4;
        let mut svg = format!(
            "<svg class=\"bars\" viewBox=\"0 0 {width} 20\" width=\"{width}\" height=\"20\" role=\"img\" aria-label=\"{}: {} in all, {} at most\">",
            escape(&self.what),
            Count(sum),
            Count(most)
        );
        for (at, n) in self.values.iter().enumerate() {
            let height = bar_height(*n, most);
            let class = if *n == 0 { " class=\"none\"" } else { "" };
            let _ = write!(
                svg,
                "<rect{class} x=\"{}\" y=\"{}\" width=\"3\" height=\"{height}\"/>",
                at * 4,
                20 - height
            );
        }
        svg.push_str("</svg>");
        Markup::trusted(svg)
    }
}

/// One to twenty units; a day with nothing keeps a line of one, so that it is seen to be a day.
fn bar_height(n: u64, most: u64) -> u64 {
    if most == 0 {
        return 1;
    }
    u64::try_from(u128::from(n) * 20 / u128::from(most)).unwrap_or(20).clamp(1, 20)
}

/// How much of a whole is used: a single bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// What it measures, for those who hear the page.
    pub what: String,
    /// The part.
    pub part: u64,
    /// The whole; zero draws an empty bar.
    pub whole: u64,
}

impl Meter {
    /// The drawing.
    pub fn draw(&self) -> Markup {
        let hundredths =
            if self.whole == 0 { 0 } else { (u128::from(self.part) * 100 / u128::from(self.whole)).min(100) };
        Markup::trusted(format!(
            "<svg class=\"meter\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}: {hundredths} per cent\"><rect class=\"rest\" width=\"100\" height=\"6\"/><rect width=\"{hundredths}\" height=\"6\"/></svg>",
            escape(&self.what)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_say_in_words_what_they_draw() {
        let bars = Bars { what: "Erased per day".to_owned(), values: vec![0, 5, 10] };
        let svg = bars.draw();
        assert!(svg.as_str().contains("Erased per day: 15 in all, 10 at most"));
        assert!(svg.as_str().contains("height=\"20\""));
        assert!(Bars::default().draw().as_str().contains("0 in all"));
    }

    #[test]
    fn a_meter_never_runs_over() {
        let full = Meter { what: "Used".to_owned(), part: 9, whole: 3 };
        assert!(full.draw().as_str().contains("100 per cent"));
        let none = Meter { what: "Used".to_owned(), part: 9, whole: 0 };
        assert!(none.draw().as_str().contains("0 per cent"));
    }
}
