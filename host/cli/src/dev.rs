//! `host dev`: build, serve, deploy; and again on every change.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use weir_build::{Memory, Project};
use weir_server::deploy::{Deployer, Summary};
use weir_server::{FrontOptions, LogLimits, StopSignals, WebFolder};

use crate::arguments::Dev;
use crate::{build, progress, serve};

/// Changes that come within this time of each other are one: editors and version
/// control write many files at once.
const SETTLE: Duration = Duration::from_millis(150);

/// Serves a project until SIGTERM or SIGINT.
pub async fn dev(arguments: Dev, log_limits: Option<Arc<LogLimits>>) -> anyhow::Result<()> {
    let Dev { project, data, mut hosting, no_watch } = arguments;
    let listening = &mut hosting.listening;
    // As Convex has it: HTTP actions are at the root of a port of their own.
    listening.site_listen.get_or_insert_with(|| next_port(listening.listen));
    let mut signals = StopSignals::install().context("cannot wait for signals")?;
    let folder = project.project;
    let mut project = build::load(&folder)?;
    // The port and the data folder first: a long build must not end with
    // "another program listens there".
    let (web, compiled) = (web_folder(&project), build::compiled_folder());
    let starting = serve::start(data.data, (hosting, FrontOptions::default()), (web, compiled), log_limits);
    let Some(server) = serve::start_unless_stopped(&mut signals, starting).await? else { return Ok(()) };
    // Before the build, so that no change falls between the two.
    let mut changes = if no_watch { None } else { Some(Changes::watch(&project)?) };
    let absent = absent_lock_files(&project);
    let builder = Builder { deployer: server.deployer(), memory: Arc::default() };
    let first = tokio::select! {
        first = builder.build_and_deploy(&mut project) => first,
        name = signals.next() => {
            tracing::info!("{name}: stopped before the first build had ended");
            server.serve(std::future::ready(())).await;
            return Ok(());
        }
    };
    match first {
        Err(error) if no_watch => {
            server.serve(std::future::ready(())).await;
            return Err(error);
        }
        result => report(result),
    }
    if let Some(changes) = &mut changes {
        changes.watch_components(&project);
        changes.forget(&absent);
    }
    serve::announce(&server)?;
    let following = async {
        if let Some(changes) = changes {
            follow(folder, project, builder, changes).await;
        }
    };
    serve::until_stopped(server, signals, Box::pin(following)).await;
    Ok(())
}

/// Lock files that a first build makes, when it installs a module's packages.
fn absent_lock_files(project: &Project) -> BTreeSet<PathBuf> {
    let files = project.modules.iter().map(|module| module.path.join("package-lock.json"));
    files.filter(|file| !file.exists()).collect()
}

fn web_folder(project: &Project) -> Option<WebFolder> {
    let web = project.web.clone()?;
    if !web.is_dir() {
        tracing::warn!("the web folder {} is not there yet; / is empty until it is", web.display());
    }
    Some(WebFolder::Expected(web))
}

/// Builds and deploys, again and again.
struct Builder {
    deployer: Arc<Deployer>,
    /// What one build keeps for the next; builds come one after the other.
    memory: Arc<Mutex<Memory>>,
}

impl Builder {
    /// Also tells the project where its components are.
    async fn build_and_deploy(&self, project: &mut Project) -> anyhow::Result<Summary> {
        let (memory, building) = (Arc::clone(&self.memory), project.clone());
        let build = move || {
            // What a build that panicked has left there is looked at before it is used.
            let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
            build::deployment(&building, &mut memory)
        };
        let built = tokio::task::spawn_blocking(build).await.context("the build panicked")??;
        project.found = built.folders;
        let work = self.deployer.deploy(built.deployment);
        Ok(progress::report(work, async || self.deployer.progress()).await?)
    }
}

fn report(result: anyhow::Result<Summary>) {
    match result {
        Ok(summary) => {
            let functions: Vec<_> = summary.app_functions().map(|function| function.path.as_str()).collect();
            tracing::info!("deployed: {}", functions.join(", "));
            if !summary.components.is_empty() {
                let mounts: Vec<_> = summary.components.iter().map(|mount| mount.path.as_str()).collect();
                tracing::info!("mounted: {}", mounts.join(", "));
            }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            tracing::warn!("not deployed; the version before goes on");
        }
    }
}

/// The address with the port after this one; with any free one, if any will do.
fn next_port(address: SocketAddr) -> SocketAddr {
    let port = if address.port() == 0 { 0 } else { address.port().checked_add(1).unwrap_or(0) };
    SocketAddr::new(address.ip(), port)
}

/// Builds and deploys after every change, for ever.
async fn follow(folder: PathBuf, first: Project, builder: Builder, mut changes: Changes) {
    let mut project = first;
    loop {
        let Some(changed) = changes.next(&project).await else { return };
        tracing::info!("changed: {}", name_changes(&project.root, &changed));
        // host.toml itself may be what has changed.
        match build::load(&folder) {
            Ok(loaded) => project = Project { found: project.found, ..loaded },
            Err(error) => {
                report(Err(error));
                continue;
            }
        }
        changes.watch_components(&project);
        report(builder.build_and_deploy(&mut project).await);
        changes.watch_components(&project);
    }
}

fn name_changes(root: &Path, changed: &BTreeSet<PathBuf>) -> String {
    let first = changed.first().map(|path| path.strip_prefix(root).unwrap_or(path));
    let first = first.unwrap_or(Path::new("")).display();
    match changed.len() {
        0 | 1 => first.to_string(),
        more => format!("{first} and {} more", more - 1),
    }
}

/// The files that change, as the system tells.
struct Changes {
    watcher: RecommendedWatcher,
    /// Folders, and whether with all that is in them.
    watched: BTreeSet<(PathBuf, bool)>,
    paths: mpsc::UnboundedReceiver<PathBuf>,
    /// What was taken from `paths` and is still to be looked at.
    waiting: VecDeque<PathBuf>,
}

impl Changes {
    fn watch(project: &Project) -> anyhow::Result<Changes> {
        let (sender, paths) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| match event {
            Ok(event) if event.kind.is_access() => {}
            Ok(event) => event.paths.into_iter().for_each(|path| drop(sender.send(path))),
            Err(error) => tracing::warn!(%error, "watching for changes"),
        });
        let watcher = watcher.context("cannot watch for changes; try --no-watch")?;
        let mut changes = Changes { watcher, watched: BTreeSet::new(), paths, waiting: VecDeque::new() };
        changes.watch_also(project)?;
        Ok(changes)
    }

    /// Watches what a build, or a change of `host.toml`, has brought.
    fn watch_components(&mut self, project: &Project) {
        if let Err(error) = self.watch_also(project) {
            tracing::warn!("{error:#}");
        }
    }

    /// Watches what is not watched yet. A file is watched through its folder:
    /// editors put a new file in its place.
    fn watch_also(&mut self, project: &Project) -> anyhow::Result<()> {
        for path in project.watch_paths() {
            let (folder, mode) = match path.is_dir() {
                true => (path, RecursiveMode::Recursive),
                false => (path.parent().unwrap_or(&project.root).to_owned(), RecursiveMode::NonRecursive),
            };
            // The project's own folder may be watched for host.toml alone at first,
            // and with all that is in it as a module's folder.
            if self.watched.insert((folder.clone(), mode == RecursiveMode::Recursive)) {
                self.watcher
                    .watch(&folder, mode)
                    .with_context(|| format!("cannot watch {}; try --no-watch", folder.display()))?;
            }
        }
        Ok(())
    }

    /// Leaves out what was told of these files so far: a build wrote them.
    fn forget(&mut self, files: &BTreeSet<PathBuf>) {
        while let Ok(path) = self.paths.try_recv() {
            if !files.contains(&path) {
                self.waiting.push_back(path);
            }
        }
    }

    /// The next path that the system tells of.
    async fn next_path(&mut self) -> Option<PathBuf> {
        match self.waiting.pop_front() {
            Some(path) => Some(path),
            None => self.paths.recv().await,
        }
    }

    /// The next changes that call for a build, when no more have come for a while.
    async fn next(&mut self, project: &Project) -> Option<BTreeSet<PathBuf>> {
        let mut changed = BTreeSet::new();
        loop {
            let path = if changed.is_empty() {
                self.next_path().await?
            } else {
                match tokio::time::timeout(SETTLE, self.next_path()).await {
                    Ok(path) => path?,
                    Err(_) => return Some(changed),
                }
            };
            if project.is_watched(&path) {
                changed.insert(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Each change is noticed, wherever the module's folder is, and noise is not.
    #[tokio::test]
    async fn notices_changes_that_matter() {
        for module in [".", "functions"] {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().canonicalize().unwrap();
            let inside = root.join(module);
            let toml = format!("[modules.chat]\nlanguage = \"rust\"\npath = \"{module}\"\n");
            fs::create_dir_all(inside.join("src")).unwrap();
            fs::create_dir_all(inside.join("target")).unwrap();
            fs::write(root.join("host.toml"), &toml).unwrap();
            fs::write(inside.join("src/lib.rs"), "").unwrap();
            let project = build::load(&root).unwrap();
            let mut changes = Changes::watch(&project).unwrap();
            let source = project.modules[0].path.join("src/lib.rs");

            fs::write(inside.join("target/noise"), "x").unwrap();
            fs::write(inside.join("src/lib.rs"), "// changed").unwrap();
            assert_eq!(next(&mut changes, &project).await, BTreeSet::from([source.clone()]), "{module}");

            // As editors save: another file, put in the place of the first.
            fs::write(inside.join("src/.lib.rs.new"), "// changed again").unwrap();
            fs::rename(inside.join("src/.lib.rs.new"), inside.join("src/lib.rs")).unwrap();
            assert_eq!(next(&mut changes, &project).await, BTreeSet::from([source]), "{module}");

            fs::create_dir(inside.join("src/rooms")).unwrap();
            next(&mut changes, &project).await;
            fs::write(root.join(".host.toml.new"), &toml).unwrap();
            fs::rename(root.join(".host.toml.new"), root.join("host.toml")).unwrap();
            assert!(next(&mut changes, &project).await.contains(&root.join("host.toml")), "{module}");
        }
    }

    /// A key set lies where it likes, and need not be there at first.
    #[tokio::test]
    async fn key_sets_are_watched() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let provider = "[[auth.providers]]\ntype = \"customJwt\"\nissuer = \"a\"\nalgorithm = \"RS256\"\n";
        let toml =
            format!("[modules.a]\nlanguage = \"rust\"\npath = \"a\"\n{provider}jwks = \"keys/a.json\"\n");
        fs::write(root.join("host.toml"), toml).unwrap();
        fs::create_dir(root.join("a")).unwrap();
        fs::create_dir(root.join("keys")).unwrap();
        let project = build::load(&root).unwrap();
        let mut changes = Changes::watch(&project).unwrap();
        fs::write(root.join("keys/other.json"), "{}").unwrap();
        fs::write(root.join("keys/a.json"), "{}").unwrap();
        assert_eq!(next(&mut changes, &project).await, BTreeSet::from([root.join("keys/a.json")]));
    }

    /// What a build writes into a project calls for no other one.
    #[tokio::test]
    async fn generated_files_are_no_changes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::write(root.join("host.toml"), "[modules.app]\nlanguage = \"typescript\"\npath = \".\"\n")
            .unwrap();
        fs::create_dir(root.join("convex")).unwrap();
        fs::write(root.join("convex/a.ts"), "").unwrap();
        let project = build::load(&root).unwrap();
        let mut changes = Changes::watch(&project).unwrap();
        assert_eq!(weir_build::codegen(&project, &mut |_| {}).unwrap().len(), 5);
        fs::write(root.join("convex/a.ts"), "// changed").unwrap();
        assert_eq!(next(&mut changes, &project).await, BTreeSet::from([root.join("convex/a.ts")]));
    }

    /// A lock file that the first build has made is none either; one that was there is.
    #[tokio::test]
    async fn a_lock_file_counts_when_it_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::write(root.join("host.toml"), "[modules.app]\nlanguage = \"typescript\"\npath = \".\"\n")
            .unwrap();
        let project = build::load(&root).unwrap();
        let (lock, source) = (root.join("package-lock.json"), root.join("a.ts"));
        for is_there in [false, true] {
            let mut changes = Changes::watch(&project).unwrap();
            let absent = absent_lock_files(&project);
            fs::write(&source, "// changed").unwrap();
            fs::write(&lock, "{}").unwrap();
            // Both were told of when the second was.
            while changes.waiting.back() != Some(&lock) {
                let path = changes.paths.recv().await.unwrap();
                changes.waiting.push_back(path);
            }
            let told = std::mem::take(&mut changes.waiting);
            let (sender, paths) = mpsc::unbounded_channel();
            told.into_iter().for_each(|path| sender.send(path).unwrap());
            changes.paths = paths;
            changes.forget(&absent);
            let expected = if is_there { vec![source.clone(), lock.clone()] } else { vec![source.clone()] };
            assert_eq!(next(&mut changes, &project).await, BTreeSet::from_iter(expected), "{is_there}");
            drop(sender);
        }
    }

    async fn next(changes: &mut Changes, project: &Project) -> BTreeSet<PathBuf> {
        let next = tokio::time::timeout(Duration::from_secs(20), changes.next(project));
        next.await.expect("a change is noticed").expect("the watcher is there")
    }
}
