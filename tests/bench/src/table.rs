//! The printed table: a figure, its goal, and whether the one meets the other.

/// One line of the table.
pub struct Line {
    name: String,
    measured: String,
    goal: Option<(String, bool)>,
    note: String,
}

impl Line {
    /// A figure without a goal of its own.
    pub fn figure(name: impl Into<String>, measured: impl Into<String>) -> Line {
        Line { name: name.into(), measured: measured.into(), goal: None, note: String::new() }
    }

    /// A figure with the goal that was set for it, and whether it is met.
    pub fn goal(
        name: impl Into<String>,
        measured: impl Into<String>,
        goal: impl Into<String>,
        met: bool,
    ) -> Line {
        Line {
            name: name.into(),
            measured: measured.into(),
            goal: Some((goal.into(), met)),
            note: String::new(),
        }
    }

    /// Adds a remark.
    pub fn note(mut self, note: impl Into<String>) -> Line {
        self.note = note.into();
        self
    }

    /// Prints it.
    pub fn print(&self) {
        let (goal, verdict) = match &self.goal {
            Some((goal, true)) => (goal.as_str(), "met"),
            Some((goal, false)) => (goal.as_str(), "MISSED"),
            None => ("", ""),
        };
        println!("{:<46} {:>16}  {:>16}  {:<6}  {}", self.name, self.measured, goal, verdict, self.note);
    }

    /// Whether a goal was set for it.
    pub fn has_goal(&self) -> bool {
        self.goal.is_some()
    }

    /// Whether its goal, if it has one, is met.
    pub fn met(&self) -> bool {
        self.goal.as_ref().is_none_or(|(_, met)| *met)
    }
}

/// Prints the head of the table.
pub fn print_head() {
    println!("{:<46} {:>16}  {:>16}          in the same run", "measured", "figure", "goal");
}

/// The `share` (0 to 1) quantile of figures, which are sorted in place; 0 when there is none.
pub fn quantile(figures: &mut [u64], share: f64) -> u64 {
    figures.sort_unstable();
    let last = figures.len().saturating_sub(1);
    figures.get((last as f64 * share).round() as usize).copied().unwrap_or(0)
}

/// The figures of several runs.
pub struct Spread {
    /// The least of them.
    pub least: f64,
    /// The one in the middle, or the upper of two.
    pub median: f64,
    /// The largest of them.
    pub most: f64,
}

impl Spread {
    /// Of these; zeros when there are none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Spread {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(0.0);
        Spread { least: at(0), median: at(figures.len() / 2), most: at(figures.len().saturating_sub(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Spread, quantile};

    #[test]
    fn spreads() {
        let Spread { least, median, most } = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!([least, median, most], [1.0, 2.0, 3.0]);
        assert_eq!(Spread::of([1.0, 4.0]).median, 4.0);
        assert_eq!(Spread::of([]).median, 0.0);
    }

    #[test]
    fn quantiles() {
        assert_eq!(quantile(&mut [], 0.5), 0);
        assert_eq!(quantile(&mut [3, 1, 2], 0.5), 2);
        assert_eq!(quantile(&mut [3, 1, 2], 1.0), 3);
    }
}
