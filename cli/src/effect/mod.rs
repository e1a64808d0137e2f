//! What a run does to the world, by name. Each effect passes one place (`around`), where a [`Witness`] is told of it before
//! and after.
//!
//! A run reaches the engine only through [`Hands`], nginx only through a [`Watched`] surface, and its lock and history only
//! through a [`Lock`](crate::lock::Lock); all three tell their witness. So an effect that no witness hears of cannot be
//! written by leaving something out.

mod hands;
mod surface;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::hands::Hands;
pub use self::surface::Watched;

/// One effect. Files and folders are as nginx sees them, where they are nginx's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The app's lock is taken, and the holder's words are written into it.
    TakeLock(PathBuf),
    /// The words are taken out of the lock, which goes with the process.
    ClearLock(PathBuf),
    /// A run is added to the history.
    AddHistory(PathBuf),
    /// The record of a run is kept, and the oldest goes.
    KeepRecord(PathBuf),
    /// A network is made, if it is not there.
    EnsureNetwork(String),
    /// An image that is not there is pulled into the engine.
    EnsureImage(String),
    /// An image's reference is removed, and the image with the last of them.
    RemoveImage(String),
    /// A container is made.
    Create(String),
    /// A container is started.
    Start(String),
    /// A container is stopped.
    Stop(String),
    /// A container is removed.
    Remove(String),
    /// A container gets another name.
    Rename(String, String),
    /// One of nginx's files is written.
    WriteFile(PathBuf),
    /// One of nginx's files is removed.
    RemoveFile(PathBuf),
    /// A marker is made.
    MakeMarker(PathBuf),
    /// A marker is removed.
    RemoveMarker(PathBuf),
    /// A socket is bound that nginx tells of requests at.
    Listen(PathBuf),
    /// nginx is told to load its configuration.
    Reload,
}

impl Effect {
    /// What is done, whatever it is done to.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TakeLock(_) => "take the lock",
            Self::ClearLock(_) => "clear the lock",
            Self::AddHistory(_) => "add to the history",
            Self::KeepRecord(_) => "keep the record",
            Self::EnsureNetwork(_) => "make sure of the network",
            Self::EnsureImage(_) => "pull the image",
            Self::RemoveImage(_) => "remove the image",
            Self::Create(_) => "create the container",
            Self::Start(_) => "start the container",
            Self::Stop(_) => "stop the container",
            Self::Remove(_) => "remove the container",
            Self::Rename(..) => "rename the container",
            Self::WriteFile(_) => "write the file",
            Self::RemoveFile(_) => "remove the file",
            Self::MakeMarker(_) => "make the marker",
            Self::RemoveMarker(_) => "remove the marker",
            Self::Listen(_) => "listen at the socket",
            Self::Reload => "reload nginx",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::TakeLock(path)
            | Self::ClearLock(path)
            | Self::AddHistory(path)
            | Self::KeepRecord(path)
            | Self::WriteFile(path)
            | Self::RemoveFile(path)
            | Self::MakeMarker(path)
            | Self::RemoveMarker(path)
            | Self::Listen(path) => write!(f, " {}", path.display()),
            Self::EnsureNetwork(name)
            | Self::EnsureImage(name)
            | Self::RemoveImage(name)
            | Self::Create(name)
            | Self::Start(name)
            | Self::Stop(name)
            | Self::Remove(name) => write!(f, " {name}"),
            Self::Rename(from, to) => write!(f, " {from} to {to}"),
            Self::Reload => Ok(()),
        }
    }
}

/// Who is told of each effect. Effects may overlap, as those on several replicas do.
pub trait Witness: fmt::Debug + Send + Sync {
    /// The effect comes next.
    fn before(&self, effect: &Effect);

    /// The effect was tried, and has come to its end. Not told of one that was cut short by a signal.
    fn after(&self, effect: &Effect);
}

/// A witness of everything that a command does.
pub type Told = Arc<dyn Witness>;

/// A witness that hears nothing.
#[must_use]
pub fn nobody() -> Told {
    Arc::new(Nobody)
}

#[derive(Debug)]
struct Nobody;

impl Witness for Nobody {
    fn before(&self, _: &Effect) {}

    fn after(&self, _: &Effect) {}
}

/// Does the work of an effect.
pub(crate) async fn around<T>(witness: &Told, effect: Effect, work: impl Future<Output = T>) -> T {
    witness.before(&effect);
    let done = work.await;
    witness.after(&effect);
    done
}

/// Does the work of an effect that waits for nothing.
pub(crate) fn around_now<T>(witness: &Told, effect: &Effect, work: impl FnOnce() -> T) -> T {
    witness.before(effect);
    let done = work();
    witness.after(effect);
    done
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Witness for Heard {
        fn before(&self, effect: &Effect) {
            self.0.lock().unwrap().push(format!("before: {effect}"));
        }

        fn after(&self, effect: &Effect) {
            self.0.lock().unwrap().push(format!("after: {effect}"));
        }
    }

    #[tokio::test]
    async fn a_witness_is_told_before_and_after_and_of_no_end_of_what_was_cut_short() {
        let heard = Arc::new(Heard::default());
        let told: Told = heard.clone();
        assert_eq!(around(&told, Effect::Reload, async { 1 }).await, 1);
        assert_eq!(around_now(&told, &Effect::Stop("web-blue-1".into()), || 2), 2);
        {
            let cut = around(&told, Effect::Create("x".into()), std::future::pending::<()>());
            tokio::select! { biased; () = cut => {}, () = async {} => {} }
        }
        let wanted = [
            "before: reload nginx",
            "after: reload nginx",
            "before: stop the container web-blue-1",
            "after: stop the container web-blue-1",
            "before: create the container x",
        ];
        assert_eq!(*heard.0.lock().unwrap(), wanted);
    }

    #[test]
    fn a_run_has_no_other_way_to_an_effect() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let of_apply = std::fs::read_dir(source.join("apply")).unwrap().map(|file| file.unwrap().path());
        let others = ["run.rs", "observe.rs", "slots.rs", "places.rs"].map(|name| source.join(name));
        for file in of_apply.chain(others) {
            let text = std::fs::read_to_string(&file).unwrap();
            for way in
                ["connect_engine", "cutover_runtime::Engine", " Engine,", "Engine::", "fs::", "Command::new"]
            {
                assert!(!text.contains(way), "{} has `{way}`", file.display());
            }
        }
    }
}
