//! Asks a component that is built for its functions, as a server does before it deploys it.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, Linker};

use crate::manifest::{Described, Function};
use crate::preinitialize::engine;
use crate::snapshots::bounds::{self, Bounds, Deadline};
use crate::typescript::node_functions;

/// The variables of the deployment, which a manifest may depend on. There are none here.
const VARIABLES: &str = "weir:guest/variables@0.1.0";

/// The functions of components, by what those consist of: a component is asked once.
#[derive(Default)]
pub(crate) struct Asked {
    known: BTreeMap<[u8; 32], Vec<Function>>,
    /// Those of the build that is under way.
    used: BTreeMap<[u8; 32], Vec<Function>>,
}

impl Asked {
    /// The functions of a component.
    ///
    /// # Errors
    /// It cannot say them without the deployment's variables, or it is no guest.
    pub(crate) fn functions(&mut self, component: &[u8]) -> anyhow::Result<Vec<Function>> {
        let digest = Sha256::digest(component).into();
        let functions = match self.known.get(&digest).or_else(|| self.used.get(&digest)) {
            Some(functions) => functions.clone(),
            None => ask(component)?,
        };
        self.used.insert(digest, functions.clone());
        Ok(functions)
    }

    /// Forgets what the build that has ended has not used.
    pub(crate) fn end_build(&mut self) {
        self.known = std::mem::take(&mut self.used);
    }
}

fn ask(component: &[u8]) -> anyhow::Result<Vec<Function>> {
    let manifest = describe(component).map_err(|error| anyhow!("{error:#}"))?;
    let described: Described = serde_json::from_slice(&manifest).context("its manifest")?;
    let mut functions = described.functions;
    let of_node = node_functions(component)?;
    functions.retain(|function| of_node.iter().all(|other| other.path != function.path));
    functions.extend(of_node);
    Ok(functions)
}

/// What its export `describe` gives. It calls nothing but what tells variables: a component that does is not asked further.
fn describe(component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let engine = engine()?;
    let component = Component::from_binary(&engine, component)?;
    let mut linker = Linker::<Bounds>::new(&engine);
    let mut variables = linker.instance(VARIABLES)?;
    variables.func_wrap("get", |_, (_,): (String,)| Ok((None::<String>,)))?;
    variables.func_wrap("names", |_, (): ()| Ok((Vec::<String>::new(),)))?;
    linker.define_unknown_imports_as_traps(&component)?;
    let mut store = bounds::store(&engine);
    let _deadline = Deadline::begin(&engine)?;
    let instance = linker.instantiate(&mut store, &component)?;
    let describe = instance.get_typed_func::<(), (Vec<u8>,)>(&mut store, "describe")?;
    Ok(describe.call(&mut store, ())?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component whose manifest is this text.
    fn component(manifest: &str) -> Vec<u8> {
        let length = manifest.len();
        let data: String = manifest.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        let text = format!(
            r#"(component
                (core module $m
                    (memory (export "memory") 1)
                    (data (i32.const 16) "{data}")
                    (func (export "describe") (result i32)
                        (i32.store (i32.const 0) (i32.const 16))
                        (i32.store (i32.const 4) (i32.const {length}))
                        (i32.const 0)))
                (core instance $i (instantiate $m))
                (func (export "describe") (result (list u8))
                    (canon lift (core func $i "describe") (memory (core memory $i "memory")))))"#
        );
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn a_component_says_its_functions() {
        let manifest =
            r#"{"functions": [{"path": "a:b", "kind": "query", "visibility": "public", "cost": 1}]}"#;
        let mut asked = Asked::default();
        let functions = asked.functions(&component(manifest)).unwrap();
        assert_eq!((functions.len(), functions[0].path.as_str()), (1, "a:b"));
        asked.end_build();
        assert_eq!(asked.known.len(), 1);
        assert!(asked.functions(&component(r#"{"functions": []}"#)).unwrap().is_empty());
        asked.end_build();
        assert_eq!(asked.known.len(), 1, "one that is mounted no more is forgotten");
    }

    #[test]
    fn what_says_nothing_that_makes_sense_is_an_error() {
        let mut asked = Asked::default();
        for manifest in ["", "{}", "[]", r#"{"functions": [{"path": 1}]}"#] {
            assert!(asked.functions(&component(manifest)).is_err(), "{manifest}");
        }
        assert!(asked.functions(b"no component").is_err());
        assert!(asked.functions(&crate::snapshots::empty_component()).is_err());
    }
}
