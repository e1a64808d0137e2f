//! A runtime of the rig's own: its servers and its load go on while a test blocks its thread.

use std::sync::LazyLock;

use tokio::runtime::{Builder, Handle, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let built = Builder::new_multi_thread().worker_threads(2).thread_name("rig").enable_all().build();
    built.expect("the system gives two threads and a poller")
});

/// Where the rig's tasks run.
///
/// # Panics
///
/// When the system gives no threads.
pub fn handle() -> &'static Handle {
    RUNTIME.handle()
}

/// A task that ends with its owner.
#[derive(Debug)]
pub(crate) struct Task(tokio::task::JoinHandle<()>);

impl Task {
    /// Starts the task on the rig's runtime.
    pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(handle().spawn(future))
    }

    /// Waits for its end.
    pub(crate) async fn join(mut self) {
        // A task that panicked has said so itself.
        drop((&mut self.0).await);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
