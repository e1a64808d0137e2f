//! Running a program in a container.

use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use futures_util::StreamExt;

use crate::Engine;
use crate::error::{self, Result};

/// What a program that was run in a container left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecOutput {
    /// Its exit status; 126 or 127 when it could not be run.
    pub status: i64,
    /// What it wrote to its output. Bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// What it wrote to its error output. Bytes that are not UTF-8 are replaced.
    pub stderr: String,
}

impl Engine {
    /// Runs a program in the container, without a shell, and waits for its end.
    ///
    /// # Errors
    ///
    /// [`NotRunning`](crate::Error::NotRunning), [`NoSuchContainer`](crate::Error::NoSuchContainer). A program that fails is no error.
    pub async fn exec(&self, id: &str, argv: &[&str]) -> Result<ExecOutput> {
        let refused = |e| error::container("run a program in", id, e);
        let config = ExecConfig {
            cmd: Some(argv.iter().map(|&word| word.to_owned()).collect()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let exec = self.docker().create_exec(id, config).await.map_err(refused)?;
        let started = self.docker().start_exec(&exec.id, None).await.map_err(refused)?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        if let StartExecResults::Attached { mut output, .. } = started {
            while let Some(part) = output.next().await {
                match part.map_err(refused)? {
                    LogOutput::StdErr { message } => stderr.extend_from_slice(&message),
                    other => stdout.extend_from_slice(other.as_ref()),
                }
            }
        }
        let ended = self.docker().inspect_exec(&exec.id).await.map_err(refused)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(ExecOutput { status: ended.exit_code.unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) })
    }
}
