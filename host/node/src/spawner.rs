//! The thread that starts children. The system ends them when it ends, which is when the host does, however that ends.
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread::JoinHandle;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getpid, getppid, prlimit, set_parent_process_death_signal,
};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use weir_store::Env;

/// What is to be started.
pub(crate) struct ToSpawn {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// An empty folder.
    pub(crate) folder: PathBuf,
    /// The child's end of its pipe.
    pub(crate) pipe: UnixStream,
}

type Request = (ToSpawn, Handle, oneshot::Sender<io::Result<Child>>);

/// Starts children.
#[derive(Debug)]
pub(crate) struct Spawner {
    /// `None` while it is dropped.
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Spawner {
    pub(crate) fn start(env: &dyn Env) -> Spawner {
        let (sender, requests) = mpsc::channel::<Request>();
        let thread = env.spawn(
            "node",
            Box::new(move || {
                while let Ok((what, handle, answer)) = requests.recv() {
                    let _entered = handle.enter();
                    // Nobody waits for it any more: it ends with this.
                    drop(answer.send(spawn(what)));
                }
            }),
        );
        Spawner { requests: Some(sender), thread: Some(thread) }
    }

    /// Starts a child, which is the leader of a process group.
    pub(crate) async fn spawn(&self, what: ToSpawn) -> io::Result<Child> {
        let lost = || io::Error::other("the thread that starts children is gone");
        let (sender, child) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(lost)?;
        requests.send((what, Handle::current(), sender)).map_err(|_| lost())?;
        child.await.map_err(|_| lost())?
    }
}

impl Drop for Spawner {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say; its panic was printed.
            let _ = thread.join();
        }
    }
}

fn spawn(what: ToSpawn) -> io::Result<Child> {
    let ToSpawn { program, arguments, folder, pipe } = what;
    let host = getpid();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        // As with every function: no answer depends on where the machine stands.
        .env("TZ", "UTC")
        .stdin(Stdio::from(OwnedFd::from(pipe)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    // SAFETY: between fork and exec it makes two system calls and allocates nothing.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The host may have ended in between.
            match getppid() == Some(host) {
                true => Ok(()),
                false => Err(io::ErrorKind::NotConnected.into()),
            }
        });
    }
    let child = command.spawn()?;
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // Node's permissions say the same of files; a core would hold what the action has in memory.
        for resource in [Resource::Core, Resource::Fsize] {
            let none = Rlimit { current: Some(0), maximum: Some(0) };
            if let Err(error) = prlimit(Some(pid), resource, none) {
                tracing::debug!(%error, "a limit of a child of Node is not set");
            }
        }
    }
    Ok(child)
}
