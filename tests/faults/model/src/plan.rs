//! Which fault the shim makes and when.
//!
//! Calls are counted from one, in each process anew. Not here: the faults themselves.

use std::path::PathBuf;

/// The name of the recording in the control folder.
pub const RECORDING: &str = "recording";
/// While a file of this name is in the control folder, no call is refused for lack of room.
pub const ROOM: &str = "room";

const ROOT_VAR: &str = "WEIR_FAULT_ROOT";
const CONTROL_VAR: &str = "WEIR_FAULT_CONTROL";
const KILL_VAR: &str = "WEIR_FAULT_KILL";
const FAIL_SYNC_VAR: &str = "WEIR_FAULT_FAIL_SYNC";
const FULL_VAR: &str = "WEIR_FAULT_FULL";
const SLOW_VAR: &str = "WEIR_FAULT_SLOW";
const UNRECORDED_VAR: &str = "WEIR_FAULT_UNRECORDED";

/// What the shim does to one process. Without a fault it only records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Only what lies below this folder is touched. Absolute, without links in it.
    pub root: PathBuf,
    /// Holds the recording; not below the root.
    pub control: PathBuf,
    /// The process kills itself.
    pub kill: Option<Kill>,
    /// This `fsync` or `fdatasync` fails with `EIO`, and what it should have written never reaches the disk.
    pub fail_sync: Option<u64>,
    /// The disk is full.
    pub full: Option<Full>,
    /// The disk is slow.
    pub slow: Option<Slow>,
    /// Nothing is recorded: for long runs in which time counts.
    pub is_unrecorded: bool,
}

/// `SIGKILL` at a changing call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    /// Which call.
    pub call: u64,
    /// When of it.
    pub moment: Moment,
}

/// When of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing of it is done.
    Before,
    /// Half of a write is done, in whole sectors; a sync has begun; of other calls nothing is done.
    Middle,
    /// All of it is done, and the program has not heard of it.
    After,
}

/// When the disk has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The files may grow by so much. What is cut off or removed is given back.
    Bytes(u64),
    /// At growing call `from` half of a write still fits; the `calls` growing calls behind it are refused,
    /// then there is room again.
    Calls {
        /// The first one.
        from: u64,
        /// How many.
        calls: u64,
    },
}

/// How long a disk takes that does one thing after the other, in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slow {
    /// Only files whose path below the root contains this.
    pub path_part: String,
    /// For each sync.
    pub sync_us: u64,
    /// For each MiB written.
    pub mib_us: u64,
}

impl Plan {
    /// The environment variables that say it.
    pub fn to_env(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            (ROOT_VAR, self.root.display().to_string()),
            (CONTROL_VAR, self.control.display().to_string()),
        ];
        if let Some(Kill { call, moment }) = self.kill {
            let moment = match moment {
                Moment::Before => "before",
                Moment::Middle => "middle",
                Moment::After => "after",
            };
            env.push((KILL_VAR, format!("{moment}:{call}")));
        }
        if let Some(sync) = self.fail_sync {
            env.push((FAIL_SYNC_VAR, sync.to_string()));
        }
        match self.full {
            Some(Full::Bytes(bytes)) => env.push((FULL_VAR, format!("bytes:{bytes}"))),
            Some(Full::Calls { from, calls }) => env.push((FULL_VAR, format!("calls:{from}:{calls}"))),
            None => {}
        }
        if let Some(Slow { path_part, sync_us, mib_us }) = &self.slow {
            env.push((SLOW_VAR, format!("{sync_us}:{mib_us}:{path_part}")));
        }
        if self.is_unrecorded {
            env.push((UNRECORDED_VAR, "yes".to_owned()));
        }
        env
    }

    /// Reads it back; `None` without a root, when there is nothing to do.
    ///
    /// # Errors
    /// A variable that cannot be read, with its value.
    pub fn from_env(read: impl Fn(&str) -> Option<String>) -> Result<Option<Plan>, String> {
        let Some(root) = read(ROOT_VAR) else { return Ok(None) };
        let control = read(CONTROL_VAR).ok_or_else(|| format!("{CONTROL_VAR} is not set"))?;
        Ok(Some(Plan {
            root: root.into(),
            control: control.into(),
            kill: parse(&read, KILL_VAR, parse_kill)?,
            fail_sync: parse(&read, FAIL_SYNC_VAR, |text| text.parse().ok())?,
            full: parse(&read, FULL_VAR, parse_full)?,
            slow: parse(&read, SLOW_VAR, parse_slow)?,
            is_unrecorded: parse(&read, UNRECORDED_VAR, |text| (text == "yes").then_some(()))?.is_some(),
        }))
    }
}

fn parse<T>(
    read: &impl Fn(&str) -> Option<String>,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    let Some(text) = read(name) else { return Ok(None) };
    parse(&text).map(Some).ok_or_else(|| format!("{name} has the value {text:?}, which says nothing"))
}

fn parse_kill(text: &str) -> Option<Kill> {
    let (moment, call) = text.split_once(':')?;
    let moment = match moment {
        "before" => Moment::Before,
        "middle" => Moment::Middle,
        "after" => Moment::After,
        _ => return None,
    };
    Some(Kill { call: call.parse().ok()?, moment })
}

fn parse_full(text: &str) -> Option<Full> {
    match text.split_once(':')? {
        ("bytes", bytes) => Some(Full::Bytes(bytes.parse().ok()?)),
        ("calls", rest) => {
            let (from, calls) = rest.split_once(':')?;
            Some(Full::Calls { from: from.parse().ok()?, calls: calls.parse().ok()? })
        }
        _ => None,
    }
}

fn parse_slow(text: &str) -> Option<Slow> {
    let mut parts = text.splitn(3, ':');
    let sync_us = parts.next()?.parse().ok()?;
    let mib_us = parts.next()?.parse().ok()?;
    Some(Slow { path_part: parts.next()?.to_owned(), sync_us, mib_us })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_pass_through_the_environment() {
        let plain = Plan { root: "/root".into(), control: "/control".into(), ..Plan::default() };
        let plans = [
            plain.clone(),
            Plan {
                kill: Some(Kill { call: 7, moment: Moment::Middle }),
                fail_sync: Some(3),
                ..plain.clone()
            },
            Plan {
                full: Some(Full::Calls { from: 2, calls: 9 }),
                slow: Some(Slow { path_part: "a:b".into(), sync_us: 1, mib_us: 2 }),
                ..plain.clone()
            },
            Plan { full: Some(Full::Bytes(0)), is_unrecorded: true, ..plain },
        ];
        for plan in plans {
            let env = plan.to_env();
            let read = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
            assert_eq!(Plan::from_env(read), Ok(Some(plan)));
        }
    }

    #[test]
    fn nonsense_is_named() {
        let read = |name: &str| Some(if name == KILL_VAR { "soon" } else { "/x" }.to_owned());
        let error = Plan::from_env(read).unwrap_err();
        assert!(error.contains(KILL_VAR) && error.contains("soon"), "{error}");
        assert_eq!(Plan::from_env(|_| None), Ok(None));
    }
}
