//! The chart: which slot served, the phases, latency and failures, over one axis of time.

use std::fmt::Write as _;

use super::columns::{Column, columns};
use super::markup::{escaped, short, time};
use crate::record::{Record, Serving};

/// The drawing's width, and from where to where time goes.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 270.0;
const RIGHT: f64 = 940.0;

/// The height of a row of phases, and of the two charts.
const ROW: f64 = 20.0;
const LATENCY: f64 = 150.0;
const FAILURES: f64 = 60.0;

/// So wide is a letter, about.
const LETTER: f64 = 7.0;

const STYLE: &str = include_str!("chart.css");

/// The chart of a run, whole in itself.
#[must_use]
pub fn svg(record: &Record) -> String {
    let columns = columns(record);
    let mut drawing = Drawing { body: String::new(), took: record.took_ms.max(1.0), y: 8.0 };
    drawing.serving(record);
    drawing.phases(record);
    if record.probe.is_some() {
        drawing.latency(&columns);
        drawing.failures(&columns);
    }
    let top = 8.0;
    let bottom = drawing.y;
    drawing.axis();
    drawing.switches(record, top, bottom);
    let (height, body) = (drawing.y, drawing.body);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"run\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"run-title\" aria-describedby=\"run-desc\">\n<title id=\"run-title\">{}</title>\n<desc id=\"run-desc\">{}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n{body}</svg>\n",
        escaped(&title(record)),
        escaped(&description(record))
    )
}

fn title(record: &Record) -> String {
    let Record { app, run, .. } = record;
    format!("{app}: {}, {} in {}", run.command, run.outcome, time(record.took_ms))
}

/// The chart in words.
fn description(record: &Record) -> String {
    let mut text = record.serving.iter().enumerate().fold(String::new(), |mut text, (number, part)| {
        let slot = part.slot.as_deref().unwrap_or("nothing");
        let _ = match number {
            0 => write!(text, "{slot} served at first"),
            _ => write!(text, ", {slot} from {} on", time(part.from_ms)),
        };
        text
    });
    text.push_str(". ");
    match &record.run.probe {
        Some(figures) => text + &format!("Requests: {figures}."),
        None => text + "No requests were put on the site.",
    }
}

struct Drawing {
    body: String,
    /// The length of the run, in milliseconds.
    took: f64,
    /// How far down it is drawn.
    y: f64,
}

impl Drawing {
    fn x(&self, ms: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (ms / self.took).clamp(0.0, 1.0)
    }

    fn line(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    fn text(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        let text = escaped(text);
        self.line(&format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"));
    }

    fn bar(&mut self, class: &str, (from, to): (f64, f64), (y, height): (f64, f64)) {
        let (x, width) = (self.x(from), (self.x(to) - self.x(from)).max(1.5));
        self.line(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    fn serving(&mut self, record: &Record) {
        let y = self.y;
        self.text("name", (0.0, y + 18.0), "served by");
        let ends = record.serving.iter().skip(1).map(|part| part.from_ms).chain([record.took_ms]);
        for (Serving { from_ms, slot }, end) in record.serving.iter().zip(ends) {
            let slot = slot.as_deref();
            let class = match slot {
                Some("blue") => "blue",
                Some("green") => "green",
                _ => "none",
            };
            self.bar(class, (*from_ms, end), (y, 26.0));
            let digest = slot.and_then(|slot| record.digest_in(slot)).map(short);
            let whole = [slot, digest].into_iter().flatten().collect::<Vec<_>>().join(" ");
            let room = self.x(end) - self.x(*from_ms) - 12.0;
            let fits = |text: &&str| text.len() as f64 * LETTER <= room;
            let label = [whole.as_str(), slot.unwrap_or("nothing")].into_iter().find(fits);
            if let Some(label) = label {
                self.text(&format!("on-{class}"), (self.x(*from_ms) + 6.0, y + 18.0), label);
            }
        }
        self.y += 38.0;
    }

    fn phases(&mut self, record: &Record) {
        for phase in &record.phases {
            let y = self.y;
            let room = ((LEFT - 10.0) / LETTER) as usize;
            let name: String = match phase.name.chars().count() > room {
                true => phase.name.chars().take(room - 1).chain(['\u{2026}']).collect(),
                false => phase.name.clone(),
            };
            self.text("name", (0.0, y + 14.0), &name);
            let class = if phase.done { "phase" } else { "stopped" };
            self.bar(class, (phase.from_ms, phase.to_ms), (y + 4.0, ROW - 8.0));
            let took = time(phase.to_ms - phase.from_ms);
            let took = if phase.done { took } else { format!("stopped after {took}") };
            let width = took.len() as f64 * LETTER;
            let after = self.x(phase.to_ms) + 6.0;
            let x =
                if after + width > RIGHT { (self.x(phase.from_ms) - width - 6.0).max(LEFT) } else { after };
            self.text("small", (x, y + 14.0), &took);
            self.y += ROW;
        }
        self.y += 14.0;
    }

    fn latency(&mut self, columns: &[Column]) {
        let most = columns.iter().filter_map(|column| column.p99_ms).fold(0.0, f64::max);
        let (top, step) = (self.y + 10.0, step(most / 4.0));
        let scale = (most / step).ceil().max(1.0) * step;
        let y = |ms: f64| top + LATENCY * (1.0 - ms / scale);
        self.text("name", (0.0, top + 14.0), "latency");
        self.text("key p99-key", (0.0, top + 36.0), "\u{2014} p99");
        self.text("key p50-key", (0.0, top + 54.0), "\u{2013} \u{2013} p50");
        let mut at = 0.0;
        while at <= scale + step / 2.0 {
            let y = y(at);
            self.line(&format!("<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>"));
            self.text("small end", (LEFT - 8.0, y + 4.0), &time(at));
            at += step;
        }
        for (class, of) in [("p50", (|c| c.p50_ms) as fn(&Column) -> Option<f64>), ("p99", |c| c.p99_ms)] {
            let path = self.path(columns, of, y);
            self.line(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
        }
        self.y = top + LATENCY + 22.0;
    }

    /// A line through the middles of the columns, with gaps where nothing was answered.
    fn path(&self, columns: &[Column], of: fn(&Column) -> Option<f64>, y: impl Fn(f64) -> f64) -> String {
        let mut path = String::new();
        let mut pen = false;
        for column in columns {
            let Some(ms) = of(column) else {
                pen = false;
                continue;
            };
            let x = self.x(f64::midpoint(column.from_ms, column.to_ms));
            // A lone point is a line of no length, which its round ends make seen.
            let _ = match std::mem::replace(&mut pen, true) {
                true => write!(path, "L{x:.1} {:.1}", y(ms)),
                false => write!(path, "M{x:.1} {:.1}h0", y(ms)),
            };
        }
        path
    }

    fn failures(&mut self, columns: &[Column]) {
        let most = columns.iter().map(|column| column.failed).max().unwrap_or_default();
        let top = self.y;
        let bottom = top + if most == 0 { 20.0 } else { FAILURES };
        self.text("name", (0.0, top + 14.0), "failed");
        self.line(&format!("<path class=\"grid\" d=\"M{LEFT} {bottom:.1}H{RIGHT}\"/>"));
        if most == 0 {
            self.text("small", (LEFT + 6.0, top + 14.0), "no request failed");
        } else {
            self.text("small end", (LEFT - 8.0, top + 10.0), &most.to_string());
            self.text("small end", (LEFT - 8.0, bottom + 4.0), "0");
        }
        for column in columns.iter().filter(|column| column.failed > 0) {
            let height = FAILURES * column.failed as f64 / most as f64;
            self.bar("failed", (column.from_ms, column.to_ms), (bottom - height, height));
        }
        self.y = bottom + 8.0;
    }

    fn axis(&mut self) {
        let (y, step) = (self.y, step(self.took / 6.0));
        self.line(&format!("<path class=\"axis\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>"));
        self.text("name", (0.0, y + 18.0), "time");
        let mut at = 0.0;
        while at <= self.took {
            let x = self.x(at);
            self.line(&format!("<path class=\"axis\" d=\"M{x:.1} {y:.1}v5\"/>"));
            let class = if x + 40.0 > RIGHT { "small end" } else { "small middle" };
            self.text(class, (x, y + 18.0), &format!("{} s", (at / 10.0).round() / 100.0));
            at += step;
        }
        self.y += 28.0;
    }

    fn switches(&mut self, record: &Record, top: f64, bottom: f64) {
        for part in record.serving.iter().skip(1) {
            let x = self.x(part.from_ms);
            self.line(&format!("<path class=\"switch\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>"));
        }
    }
}

/// The least of 1, 2 and 5 times a power of ten that is no less than this.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(0.1).log10().floor());
    [1.0, 2.0, 5.0].map(|times| times * power).into_iter().find(|step| *step >= least).unwrap_or(10.0 * power)
}
