use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::{Delivered, Error, Notice, Part, Sending, Sink, Template, text};

/// Writes the text of each notice as a line of its own to anything that can be written to: stdout, a file, a pipe.
///
/// ```
/// use cutover_notify::{Notice, Sink, Status, Writer};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let stdout = Writer::new("stdout", std::io::stdout(), None);
/// stdout.send(&Notice::new(Status::Success, "web")).await
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Writer<W> {
    name: String,
    out: Mutex<W>,
    template: Option<Template>,
}

impl<W: Write + Send> Writer<W> {
    /// Writes to `out`, by the template if there is one. `name` is what the place is called to a person.
    pub fn new(name: impl Into<String>, out: W, template: Option<Template>) -> Self {
        Self { name: name.into(), out: Mutex::new(out), template }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, notice: &Notice) -> Result<Delivered, Error> {
        let mut delivered = Delivered::after(1);
        let line = match self.template.as_ref().map(|template| template.render(notice)) {
            Some(Ok(line)) => line,
            Some(Err(error)) => {
                delivered.lacking.push((Part::Template, error));
                text(notice)
            }
            None => text(notice),
        };
        // A commit's message may hold orders to a terminal.
        let line: String = line.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Error::Unwritten)?;
        Ok(delivered)
    }
}

impl<W: Write + Send> Sink for Writer<W> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn send<'a>(&'a self, notice: &'a Notice) -> Sending<'a> {
        Box::pin(async move { self.write(notice) })
    }
}
