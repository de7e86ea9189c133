//! A line of the table with a figure for each base.

use crate::table::Line;

/// Figures that differ by less are called even: so much they move from run to run.
const EVEN: f64 = 0.05;

/// Which of two figures is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A rate.
    Higher,
    /// A time or a size.
    Lower,
}

/// The figures of sled and redb, in this order.
pub struct Pair {
    name: String,
    unit: &'static str,
    better: Better,
    figures: [f64; 2],
}

impl Pair {
    /// Both figures have the same unit.
    pub fn new(name: impl Into<String>, unit: &'static str, better: Better, figures: [f64; 2]) -> Pair {
        Pair { name: name.into(), unit, better, figures }
    }

    /// Without a goal.
    pub fn line(self) -> Line {
        self.note(String::new())
    }

    /// Without a goal, and with a remark.
    pub fn note(self, note: String) -> Line {
        let ahead = self.ahead();
        let note = if note.is_empty() { ahead.to_owned() } else { format!("{ahead}; {note}") };
        Line::figure(&self.name, self.measured()).note(note)
    }

    /// Both bases have to keep below it.
    pub fn at_most(self, bound: f64) -> Line {
        self.goal(format!("<= {}", number(bound)), |figure| figure <= bound)
    }

    /// Both bases have to reach it.
    pub fn at_least(self, bound: f64) -> Line {
        self.goal(format!(">= {}", number(bound)), |figure| figure >= bound)
    }

    fn goal(self, goal: String, is_met: impl Fn(f64) -> bool) -> Line {
        let met = self.figures.map(is_met);
        let ahead = self.ahead();
        let note = match met {
            [true, true] => ahead.to_owned(),
            [false, true] => format!("{ahead}; missed by sled"),
            [true, false] => format!("{ahead}; missed by redb"),
            [false, false] => format!("{ahead}; missed by both"),
        };
        Line::goal(&self.name, self.measured(), goal, met == [true, true]).note(note)
    }

    fn measured(&self) -> String {
        let [sled, redb] = self.figures;
        columns(&number(sled), &number(redb), self.unit, &ratio(sled, redb))
    }

    fn ahead(&self) -> &'static str {
        let [sled, redb] = self.figures;
        if (redb - sled).abs() <= sled.abs().max(redb.abs()) * EVEN {
            return "even";
        }
        if (redb > sled) == (self.better == Better::Higher) { "redb ahead" } else { "sled ahead" }
    }
}

/// Prints the head of the table with two figures a line.
pub fn print_head() {
    let figures = columns("sled", "redb", "", "ratio");
    println!("{:<46} {figures}  {:>16}          the ratio is redb over sled", "the two bases", "goal");
}

fn columns(sled: &str, redb: &str, unit: &str, ratio: &str) -> String {
    format!("{sled:>9} {redb:>9} {unit:<6} {ratio:>6}")
}

/// redb over sled.
fn ratio(sled: f64, redb: f64) -> String {
    if sled == 0.0 { "-".to_owned() } else { format!("{:.2}", redb / sled) }
}

/// With three digits that count, or all of the whole ones.
fn number(figure: f64) -> String {
    match figure.abs() {
        0.0 => "0".to_owned(),
        ..10.0 => format!("{figure:.2}"),
        ..100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Better, Pair, number};

    #[test]
    fn three_digits_count() {
        assert_eq!([0.0, 1.234, 12.34, 12_345.6].map(number), ["0", "1.23", "12.3", "12346"]);
    }

    #[test]
    fn the_better_one_is_ahead() {
        let ahead = |better, figures| Pair::new("", "", better, figures).ahead();
        assert_eq!(ahead(Better::Higher, [1.0, 2.0]), "redb ahead");
        assert_eq!(ahead(Better::Lower, [1.0, 2.0]), "sled ahead");
        assert_eq!(ahead(Better::Lower, [100.0, 98.0]), "even");
        assert_eq!(ahead(Better::Lower, [0.0, 0.0]), "even");
    }

    #[test]
    fn one_base_that_misses_is_a_miss() {
        let pair = || Pair::new("", "", Better::Lower, [1.0, 3.0]);
        assert!(pair().at_most(3.0).met());
        assert!(!pair().at_most(2.0).met());
        assert!(!pair().at_least(2.0).met());
    }
}
