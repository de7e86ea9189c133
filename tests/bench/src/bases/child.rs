//! A process of its own for one task on one base: this program again, which prints its figures as one line of JSON.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use weir_store::BaseKind;

use super::task::Task;

/// What a task found, by name.
pub type Figures = BTreeMap<String, f64>;

/// A task under way. Dropping it kills it.
pub struct Child {
    process: std::process::Child,
    task: Task,
    base: BaseKind,
}

impl Child {
    /// Starts `task` on the store in `folder`.
    ///
    /// # Errors
    /// When the process does not start.
    pub fn start(task: Task, base: BaseKind, count: usize, folder: &Path) -> Result<Child> {
        let process = Command::new(std::env::current_exe()?)
            .args(["--task", task.name(), "--base", base.name(), "--count", &count.to_string(), "--folder"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting a process for a task")?;
        Ok(Child { process, task, base })
    }

    /// Waits for its end, and gives what it found.
    ///
    /// # Errors
    /// When it fails.
    pub fn finish(mut self) -> Result<Figures> {
        let figures = self.read();
        let status = self.process.wait()?;
        ensure!(status.success(), "{} on {} ended with {status}", self.task.name(), self.base);
        figures
    }

    /// Waits until it has printed its figures, and ends it without a goodbye.
    ///
    /// # Errors
    /// When it fails before.
    pub fn kill(mut self) -> Result<()> {
        self.read().map(drop)
    }

    fn read(&mut self) -> Result<Figures> {
        let mut line = String::new();
        BufReader::new(self.process.stdout.take().context("read before")?).read_line(&mut line)?;
        let what = || format!("the figures of {} on {}: {line:?}", self.task.name(), self.base);
        serde_json::from_str(&line).with_context(what)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The most memory that a process had so far, in MiB, as the kernel counts it; `process` is its folder in `/proc`.
///
/// # Errors
/// When the process is gone.
pub fn peak_mib(process: &Path) -> Result<f64> {
    let status = std::fs::read_to_string(process.join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: f64 = line.split_whitespace().next().context("no figure in VmHWM")?.parse()?;
    Ok(kib / 1024.0)
}
