//! The world of all guests, as this host has it.

use anyhow::{Context, anyhow};
use wit_parser::{Resolve, SourceMap, WorldId};

/// The name of the world in its package.
const WORLD: &str = "guest";

const SOURCES: [(&str, &str); 17] = [
    ("auth.wit", include_str!("../../../wit/auth.wit")),
    ("calls.wit", include_str!("../../../wit/calls.wit")),
    ("context.wit", include_str!("../../../wit/context.wit")),
    ("crypto.wit", include_str!("../../../wit/crypto.wit")),
    ("db.wit", include_str!("../../../wit/db.wit")),
    ("exit.wit", include_str!("../../../wit/exit.wit")),
    ("http.wit", include_str!("../../../wit/http.wit")),
    ("intl.wit", include_str!("../../../wit/intl.wit")),
    ("log.wit", include_str!("../../../wit/log.wit")),
    ("scheduler.wit", include_str!("../../../wit/scheduler.wit")),
    ("storage.wit", include_str!("../../../wit/storage.wit")),
    ("streams.wit", include_str!("../../../wit/streams.wit")),
    ("tasks.wit", include_str!("../../../wit/tasks.wit")),
    ("types.wit", include_str!("../../../wit/types.wit")),
    ("variables.wit", include_str!("../../../wit/variables.wit")),
    ("web-crypto.wit", include_str!("../../../wit/web-crypto.wit")),
    ("world.wit", include_str!("../../../wit/world.wit")),
];

pub(crate) fn resolve() -> anyhow::Result<(Resolve, WorldId)> {
    let mut sources = SourceMap::default();
    for (name, text) in SOURCES {
        sources.push_str(name, text);
    }
    let group = sources.parse().map_err(|(_, error)| anyhow!("{error}"))?;
    let mut resolve = Resolve::default();
    let package = resolve.push_group(group).map_err(|error| anyhow!("{error}"))?;
    let world = resolve.select_world(&[package], Some(WORLD)).context("the package has no world")?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_world_is_complete() {
        let (resolve, world) = resolve().unwrap();
        let names = |items: &wit_parser::IndexMap<wit_parser::WorldKey, wit_parser::WorldItem>| {
            items.keys().map(|key| resolve.name_world_key(key)).collect::<BTreeSet<_>>()
        };
        let exports = names(&resolve.worlds[world].exports);
        assert_eq!(exports, BTreeSet::from(["call".to_owned(), "describe".to_owned()]));
    }

    #[test]
    fn no_file_of_the_world_is_left_out() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
        let files =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let files: BTreeSet<String> = files.filter(|name| name.ends_with(".wit")).collect();
        assert_eq!(files, SOURCES.iter().map(|(name, _)| (*name).to_owned()).collect());
    }
}
