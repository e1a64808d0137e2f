//! The program while it runs: its narration as it comes, and signals to it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;
use tokio::time::timeout;

use super::deadline::until;
use super::error::{Doing, Error, Result, unexpected};
use super::process;
use super::stage::Ran;

/// The running program. It is killed on drop, if it has not ended.
#[derive(Debug)]
pub struct Session {
    child: Child,
    shown: String,
    began: Instant,
    narration: watch::Receiver<Vec<Line>>,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<()>>,
}

/// A line of narration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Line {
    /// What it says.
    pub text: String,
    /// When it came, after the start of the program.
    pub after: Duration,
}

impl Session {
    /// Starts the program.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn start(mut command: Command) -> Result<Self> {
        let shown = process::show(&command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (began, (lines, narration)) = (Instant::now(), watch::channel(Vec::new()));
        let mut child = command.spawn().doing(format!("run `{shown}`"))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let data = thread::spawn(move || {
            let mut bytes = Vec::new();
            // What could not be read is missed by whoever looks for it.
            drop(stdout.map(|mut pipe| pipe.read_to_end(&mut bytes)));
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let told = thread::spawn(move || {
            for text in stderr
                .into_iter()
                .flat_map(|pipe| BufReader::new(pipe).lines())
                .map_while(std::io::Result::ok)
            {
                lines.send_modify(|lines| lines.push(Line { text, after: began.elapsed() }));
            }
        });
        Ok(Self { child, shown, began, narration, stdout: Some(data), stderr: Some(told) })
    }

    /// The id of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has told so far.
    #[must_use]
    pub fn narration(&self) -> Vec<Line> {
        self.narration.borrow().clone()
    }

    /// Waits until it has told a line with these words, and returns at once then.
    ///
    /// # Errors
    /// When it ends without them, or does not tell them in time; with what it told instead.
    pub async fn tells(&mut self, words: &str, within: Duration) -> Result<()> {
        let told = |lines: &Vec<Line>| lines.iter().any(|line| line.text.contains(words));
        self.wait_for(words, within, told).await
    }

    /// Waits until it has told so many lines, and returns at once then.
    ///
    /// # Errors
    /// As [`Session::tells`].
    pub async fn tells_lines(&mut self, count: usize, within: Duration) -> Result<()> {
        self.wait_for(&format!("{count} lines"), within, |lines| lines.len() >= count).await
    }

    /// Waits until it has no more to tell; everything it told.
    ///
    /// # Errors
    /// When it goes on for longer.
    pub async fn tells_all(&mut self, within: Duration) -> Result<Vec<Line>> {
        match timeout(within, self.narration.wait_for(|_| false)).await.map(|told| told.map(drop)) {
            Ok(_) => Ok(self.narration()),
            Err(_) => {
                Err(Error::Late { what: format!("the end of {}:\n{}", self.shown, self.text()), within })
            }
        }
    }

    async fn wait_for(
        &mut self,
        what: &str,
        within: Duration,
        told: impl FnMut(&Vec<Line>) -> bool,
    ) -> Result<()> {
        let waited = timeout(within, self.narration.wait_for(told)).await.map(|told| told.map(drop));
        match waited {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(unexpected(&self.shown, format!("ended before {what}:\n{}", self.text()))),
            Err(_) => {
                Err(Error::Late { what: format!("{what}, of {}:\n{}", self.shown, self.text()), within })
            }
        }
    }

    fn text(&self) -> String {
        self.narration.borrow().iter().map(|line| format!("{}\n", line.text)).collect()
    }

    /// Whether it still tells, or may.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.stderr.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Sends it a signal. One that has ended already gets none.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        // Until it is waited for, its id is nobody else's.
        let sent = kill_process(Pid::from_child(&self.child), signal);
        sent.map_err(std::io::Error::from).doing(format!("signal `{}`", self.shown))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not end in time; it is killed then.
    pub async fn end(mut self, within: Duration) -> Result<Ran> {
        let what = format!("the end of `{}`", self.shown);
        let ended = until(&what, within, async || self.child.try_wait().ok().flatten()).await;
        let status = ended.map_err(|error| unexpected(error, self.text()))?;
        let took = self.began.elapsed();
        if let Some(thread) = self.stderr.take() {
            drop(thread.join());
        }
        let stdout = self.stdout.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        Ok(Ran { status: status.code(), stdout, stderr: self.text(), took })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Both fail only where it is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
