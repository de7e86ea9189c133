//! What many sockets that watch one query are sent when it changes: from the durable commit to each one's frame.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use weir_db::{KeyRange, QueryOutcome, ReadSet};
use weir_sync::budget::Account;
use weir_sync::live::{LiveQueries, Run, SocketId, Step};
use weir_sync::protocol::ClientInfo;
use weir_sync::session::{Effect, Frame, Session};
use weir_value::Timestamp;

use super::{counted, diff};

/// Sockets.
pub const SOCKETS: u32 = 200;
/// Commits that all of them are told of.
pub const ROUNDS: u32 = 20;
const WARM_UP: u32 = 2;

/// Commits, each with what follows.
pub fn run() -> Result<()> {
    let mut crowd = Crowd::open()?;
    (0..WARM_UP).try_for_each(|_| crowd.round())?;
    counted(&mut || (0..ROUNDS).try_for_each(|_| crowd.round()))
}

/// Sockets that watch one query, as a host has them.
struct Crowd {
    live: LiveQueries<()>,
    sessions: Vec<Session>,
    /// The query's results, by how many commits there were.
    results: Vec<Bytes>,
    commits: u32,
    runs: Vec<Run<()>>,
    /// What is to be written: a host decides for many sockets, and then writes to them.
    unwritten: Vec<Frame>,
}

impl Crowd {
    fn open() -> Result<Crowd> {
        let live = LiveQueries::new(timestamp(0), ());
        let result = |commits| Bytes::copy_from_slice(diff::messages(commits).as_bytes());
        let results = (0..=WARM_UP + ROUNDS).map(result).collect();
        let mut crowd = Crowd {
            live,
            sessions: Vec::new(),
            results,
            commits: 0,
            runs: Vec::new(),
            unwritten: Vec::new(),
        };
        for number in 0..SOCKETS {
            let client = ClientInfo::from_header("npm-1.48.0").ok().context("a client")?;
            let mut session = Session::new(client, Duration::ZERO, Account::unlimited());
            session.receive_text(&connect(number), Duration::ZERO, timestamp(0));
            session.receive_text(SUBSCRIBE, Duration::ZERO, timestamp(0));
            crowd.sessions.push(session);
            crowd.watch(number)?;
        }
        crowd.finish_runs()?;
        for number in 0..SOCKETS {
            let frames = crowd.frames(SocketId(number.into()))?;
            ensure!(frames >= 1, "socket {number} was not told the first result");
        }
        Ok(crowd)
    }

    /// The effects of what a new session has read.
    fn watch(&mut self, number: u32) -> Result<()> {
        let session = &mut self.sessions[number as usize];
        while let Some(effect) = session.next_effect() {
            let Effect::Watch(changes) = effect else {
                anyhow::bail!("{effect:?} of a session that watches")
            };
            let (since, principal) = (session.version().ts, session.principal());
            let step = self.live.watch(SocketId(number.into()), since, principal, &changes);
            self.runs.extend(step.runs);
        }
        Ok(())
    }

    /// One commit, its run, and a frame to each socket.
    fn round(&mut self) -> Result<()> {
        self.commits += 1;
        let step = self.live.group_durable(timestamp(self.commits), vec![key()], ());
        self.runs.extend(step.runs);
        let woken = self.finish_runs()?;
        ensure!(woken.len() == SOCKETS as usize, "{} sockets were woken", woken.len());
        for socket in woken {
            ensure!(self.frames(socket)? == 1, "a socket is told of a commit in one frame");
        }
        black_box(&self.unwritten);
        self.unwritten.clear();
        Ok(())
    }

    fn finish_runs(&mut self) -> Result<Vec<SocketId>> {
        let mut woken = Vec::new();
        while let Some(run) = self.runs.pop() {
            let Step { runs, wake } = self.live.run_finished(run.id, self.outcome());
            self.runs.extend(runs);
            woken.extend(wake);
        }
        Ok(woken)
    }

    fn outcome(&self) -> QueryOutcome {
        let range = KeyRange { start: key(), end: Bytes::from_static(b"messages\0") };
        QueryOutcome {
            result: Ok(self.results[self.commits as usize].clone()),
            log_lines: Vec::new(),
            read_set: ReadSet::new([], [range]),
            journal: None,
            asked_identity: false,
            ts: timestamp(self.commits),
        }
    }

    /// What the task of a woken socket does; how many frames it writes.
    fn frames(&mut self, socket: SocketId) -> Result<usize> {
        let session = &mut self.sessions[usize::try_from(socket.0)?];
        session.wake();
        let at_least = session.wanted_timestamp().context("a woken session wants a timestamp")?;
        session.transition(self.live.advance(socket, at_least));
        let mut frames = 0;
        while let Some(frame) = session.next_frame(Duration::ZERO) {
            ensure!(matches!(frame, Frame::Text(_)), "{frame:?} is no transition");
            self.unwritten.push(frame);
            frames += 1;
        }
        session.frames_written();
        Ok(frames)
    }
}

fn timestamp(commits: u32) -> Timestamp {
    Timestamp::from_nanos(1_800_000_000_000_000_000 + u64::from(commits))
}

fn key() -> Bytes {
    Bytes::from_static(b"messages")
}

fn connect(number: u32) -> String {
    format!(
        r#"{{"type":"Connect","sessionId":"00000000-0000-4000-8000-{number:012x}","connectionCount":0,"lastCloseReason":"InitialConnect","queryPatches":"rfc6902"}}"#
    )
}

const SUBSCRIBE: &str = r#"{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{"type":"Add","queryId":0,"udfPath":"chat:getMessages","args":[{}]}]}"#;
