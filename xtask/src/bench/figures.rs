//! Figures, as a table in Markdown.

use super::chart::Chart;
use super::sample::Sample;

/// A line of a part's own table.
pub type Row = Vec<String>;

/// The unit of a figure, which says how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Millis,
    /// Mebibytes.
    Mebibytes,
    /// Mebibytes a second.
    MebibytesPerSecond,
    /// Requests a second.
    PerSecond,
    /// So many times.
    Times,
    /// So many.
    Count,
}

impl Unit {
    pub(super) fn write(self, value: f64) -> String {
        match self {
            Self::Millis if value >= 10_000.0 => format!("{:.1} s", value / 1e3),
            Self::Millis if value >= 1_000.0 => format!("{:.2} s", value / 1e3),
            Self::Millis if value >= 10.0 => format!("{value:.0} ms"),
            Self::Millis => format!("{value:.1} ms"),
            Self::Mebibytes => format!("{value:.1} MiB"),
            Self::MebibytesPerSecond => format!("{value:.0} MiB/s"),
            Self::PerSecond => format!("{value:.0}/s"),
            Self::Times => format!("{value:.2} ×"),
            Self::Count => format!("{value:.0}"),
        }
    }
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

impl Aim {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// The unit.
    pub unit: Unit,
    /// The measurements.
    pub sample: Sample,
    /// What the median should be, if anything.
    pub aim: Option<Aim>,
}

/// Figures that were measured in one go, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Its heading.
    pub title: &'static str,
    /// How it was measured.
    pub how: String,
    /// The figures.
    pub figures: Vec<Figure>,
    /// What else is to be said, such as requests sent and failed.
    pub notes: Vec<String>,
    /// The columns of a table of its own, if it has one.
    pub columns: Vec<&'static str>,
    /// That table's lines.
    pub rows: Vec<Row>,
    /// Its charts, which stand beside the document.
    pub charts: Vec<Chart>,
}

impl Part {
    /// Adds a figure.
    pub fn figure(&mut self, what: impl Into<String>, unit: Unit, sample: Sample, aim: Option<Aim>) {
        self.figures.push(Figure { what: what.into(), unit, sample, aim });
    }
}

/// A part in Markdown.
#[must_use]
pub fn render(part: &Part) -> String {
    let mut text = format!("## {}\n\n{}\n\n", part.title, part.how);
    text.push_str("| figure | aim | median | lowest to highest | of |\n|---|---|---|---|---|\n");
    part.figures.iter().for_each(|figure| text.push_str(&line(figure)));
    if !part.columns.is_empty() {
        text.push_str(&format!(
            "\n| {} |\n|{}\n",
            part.columns.join(" | "),
            "---|".repeat(part.columns.len())
        ));
        part.rows.iter().for_each(|row| text.push_str(&format!("| {} |\n", row.join(" | "))));
    }
    for chart in &part.charts {
        text.push_str(&format!("\n![{}]({})\n", chart.title, chart.file_name()));
    }
    if !part.notes.is_empty() {
        text.push('\n');
    }
    part.notes.iter().for_each(|note| text.push_str(&format!("- {note}\n")));
    text
}

fn line(figure: &Figure) -> String {
    let unit = figure.unit;
    let (Some(median), Some((low, high))) = (figure.sample.median(), figure.sample.range()) else {
        return format!("| {} | | not measured | | 0 |\n", figure.what);
    };
    let aim = match figure.aim {
        None => String::new(),
        Some(aim) => {
            let (sign, limit) = match aim {
                Aim::AtMost(limit) => ("≤", limit),
                Aim::AtLeast(limit) => ("≥", limit),
            };
            let verdict = if aim.is_met(median) { "met" } else { "**missed**" };
            format!("{sign} {}: {verdict}", unit.write(limit))
        }
    };
    format!(
        "| {} | {aim} | {} | {} to {} | {} |\n",
        figure.what,
        unit.write(median),
        unit.write(low),
        unit.write(high),
        figure.sample.count()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_heading_a_table_and_notes() {
        let mut part = Part { title: "Switching", how: "By hand.".to_owned(), ..Part::default() };
        let aim = Some(Aim::AtMost(100.0));
        part.figure("rollback", Unit::Millis, [36.0, 34.0, 120.5].into_iter().collect(), aim);
        part.figure("deploy", Unit::Millis, [1234.0].into_iter().collect(), aim);
        part.figure("throughput", Unit::Times, [4.5].into_iter().collect(), Some(Aim::AtLeast(4.0)));
        part.figure("nothing", Unit::PerSecond, Sample::default(), None);
        part.notes.push("12 requests sent, 0 failed".to_owned());
        let expected = "\
## Switching

By hand.

| figure | aim | median | lowest to highest | of |
|---|---|---|---|---|
| rollback | ≤ 100 ms: met | 36 ms | 34 ms to 120 ms | 3 |
| deploy | ≤ 100 ms: **missed** | 1.23 s | 1.23 s to 1.23 s | 1 |
| throughput | ≥ 4.00 ×: met | 4.50 × | 4.50 × to 4.50 × | 1 |
| nothing | | not measured | | 0 |

- 12 requests sent, 0 failed
";
        assert_eq!(render(&part), expected);
    }
}
