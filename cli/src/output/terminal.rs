//! Narration for a person on a terminal: a line that moves for what is under way, and bars for layers.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::seconds;
use crate::report::{Event, Report};

/// Draws what happens.
pub(super) struct Terminal {
    drawn: MultiProgress,
    /// What is under way.
    now: Mutex<HashMap<String, ProgressBar>>,
    layers: Mutex<HashMap<String, ProgressBar>>,
    colour: bool,
}

impl Terminal {
    pub(super) fn new(colour: bool) -> Self {
        let (now, layers) = (Mutex::default(), Mutex::default());
        Self { drawn: MultiProgress::new(), now, layers, colour }
    }

    fn line(&self, text: &str) {
        // A terminal that cannot be written to is no reason to stop a deploy.
        drop(self.drawn.println(text));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn begin(&self, text: String) {
        let spinner = self.drawn.add(ProgressBar::new_spinner());
        spinner.set_style(style("{spinner} {msg} {elapsed}"));
        spinner.set_message(text.clone());
        spinner.enable_steady_tick(Duration::from_millis(120));
        self.clear(|of| of == text);
        if let Ok(mut now) = self.now.lock() {
            now.insert(text, spinner);
        }
    }

    fn end(&self, text: &str, took: Duration) {
        self.clear(|of| of == text);
        let mark = self.paint("32", "ok");
        self.line(&format!("{mark} {text} ({})", seconds(took.as_secs_f64())));
    }

    /// Takes away the spinners of what is no longer under way.
    fn clear(&self, of: impl Fn(&str) -> bool) {
        let Ok(mut now) = self.now.lock() else { return };
        now.extract_if(|text, _| of(text)).for_each(|(_, spinner)| spinner.finish_and_clear());
    }

    fn layer(&self, layer: &str, done: u64, total: u64) {
        let Ok(mut layers) = self.layers.lock() else { return };
        let bar = layers.entry(layer.to_owned()).or_insert_with(|| {
            let bar = self.drawn.add(ProgressBar::new(total));
            bar.set_style(style("  {prefix} {bar:30} {bytes}/{total_bytes}"));
            bar.set_prefix(layer.chars().take(12).collect::<String>());
            bar
        });
        bar.set_length(total);
        bar.set_position(done);
        if done >= total {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Report for Terminal {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Planned(plan) if plan.steps.is_empty() => self.line("nothing to do"),
            Event::Begun(step) => self.begin(step.to_string()),
            Event::Done(step, took) => self.end(&step.to_string(), took),
            Event::Working(words) => self.begin(words.to_owned()),
            Event::Printed(line) => self.line(&self.paint("2", &format!("   {line}"))),
            Event::Worked(words, took) => self.end(words, took),
            Event::Layer { layer, done, total } => self.layer(layer, done, total),
            Event::Note(words) => self.line(&format!("   {words}")),
            Event::Warning(words) => self.line(&format!("{} {words}", self.paint("1;33", "warning:"))),
            // What came before did not get to its end.
            Event::Planned(_) => self.clear(|_| true),
            Event::Asked { .. } => {}
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear(|_| true);
    }
}
