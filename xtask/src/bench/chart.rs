//! A bar chart in SVG, for light and dark pages, and for who does not see it.

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it is of.
    pub name: String,
    /// How long it is.
    pub value: f64,
}

impl Bar {
    /// A bar.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), value }
    }
}

/// Bars of one unit, each with its value beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Its heading, of which its file's name is made.
    pub title: &'static str,
    /// The unit, behind each value.
    pub unit: &'static str,
    /// The bars, from above.
    pub bars: Vec<Bar>,
}

const LINE: f64 = 28.0;
const NAMES: f64 = 230.0;
const LONGEST: f64 = 330.0;
const WIDTH: f64 = 720.0;

impl Chart {
    /// A chart without bars yet.
    #[must_use]
    pub fn new(title: &'static str, unit: &'static str) -> Self {
        Self { title, unit, bars: Vec::new() }
    }

    /// The name of its file.
    #[must_use]
    pub fn file_name(&self) -> String {
        let words = self.title.to_lowercase();
        let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        format!("{}.svg", words.collect::<Vec<_>>().join("-"))
    }

    /// The SVG, whole.
    #[must_use]
    pub fn svg(&self) -> String {
        let most = self.bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        let height = 44.0 + LINE * self.bars.len() as f64;
        let said: Vec<String> =
            self.bars.iter().map(|bar| format!("{}: {}", bar.name, self.written(bar.value))).collect();
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             aria-labelledby=\"t d\" font-family=\"system-ui, sans-serif\" font-size=\"14\">\n\
             <title id=\"t\">{}</title>\n<desc id=\"d\">{}</desc>\n<style>text {{ fill: #1b1f24 }} .b {{ fill: \
             #0969da }} @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} .b {{ fill: #58a6ff }} }}\
             </style>\n<text x=\"0\" y=\"20\" font-weight=\"600\">{}</text>\n",
            escaped(self.title),
            escaped(&said.join("; ")),
            escaped(self.title)
        );
        for (number, bar) in self.bars.iter().enumerate() {
            let top = 36.0 + LINE * number as f64;
            let long = if most > 0.0 { bar.value / most * LONGEST } else { 0.0 };
            text.push_str(&format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><rect class=\"b\" x=\"{NAMES}\" y=\"{top}\" \
                 width=\"{:.1}\" height=\"20\"/><text x=\"{:.1}\" y=\"{}\">{}</text>\n",
                NAMES - 8.0,
                top + 15.0,
                escaped(&bar.name),
                long.max(1.0),
                NAMES + long.max(1.0) + 6.0,
                top + 15.0,
                escaped(&self.written(bar.value))
            ));
        }
        text.push_str("</svg>\n");
        text
    }

    fn written(&self, value: f64) -> String {
        let number = if value >= 100.0 || value.fract() == 0.0 {
            format!("{value:.0}")
        } else {
            format!("{value:.2}")
        };
        format!("{number} {}", self.unit)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_says_every_value_and_its_longest_bar_fills_it() {
        let mut chart = Chart::new("Failed requests, per 1,000", "failed");
        chart.bars = vec![Bar::new("a & b", 0.0), Bar::new("c", 762.4)];
        assert_eq!(chart.file_name(), "failed-requests-per-1-000.svg");
        let svg = chart.svg();
        assert!(svg.contains("<desc id=\"d\">a &amp; b: 0 failed; c: 762 failed</desc>"), "{svg}");
        assert!(svg.contains("width=\"330.0\"") && svg.contains("width=\"1.0\""), "{svg}");
    }
}
