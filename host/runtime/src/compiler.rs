//! From WebAssembly to machine code: in this process, or in one of its own.
use std::fs::File;
use std::io::{self, Read};
use std::str::FromStr;
use std::sync::Arc;

use wasmtime::Engine;
use weir_subprocess::{Cancellation, Failure, Subprocess};

use crate::{LoadError, engine};

/// Who makes machine code.
#[derive(Debug, Clone, Default)]
pub enum Compiler {
    /// The thread that asks, without any limit: for programs that compile what their own user has built, and for tests.
    #[default]
    InProcess,
    /// A process of its own, which is to answer with [`compile`]: for what somebody else has sent.
    Subprocess(Arc<Subprocess>),
}

/// What machine code is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Artefact {
    /// A component.
    Component,
    /// A core module.
    Module,
}

impl Artefact {
    /// Its name on the command line of a compiling process.
    pub fn name(self) -> &'static str {
        match self {
            Artefact::Component => "component",
            Artefact::Module => "module",
        }
    }
}

impl FromStr for Artefact {
    type Err = ();

    fn from_str(name: &str) -> Result<Artefact, ()> {
        [Artefact::Component, Artefact::Module].into_iter().find(|artefact| artefact.name() == name).ok_or(())
    }
}

/// Makes machine code that a runtime of this program can run, on this machine. This is what a compiling process does; it
/// validates what it is given.
///
/// # Errors
/// Why it cannot be compiled.
pub fn compile(artefact: Artefact, wasm: &[u8]) -> Result<Vec<u8>, String> {
    let engine = engine::build().map_err(|error| error.to_string())?;
    compile_with(&engine, artefact, wasm)
}

fn compile_with(engine: &Engine, artefact: Artefact, wasm: &[u8]) -> Result<Vec<u8>, String> {
    let compiled = match artefact {
        Artefact::Component => engine.precompile_component(wasm),
        Artefact::Module => engine.precompile_module(wasm),
    };
    compiled.map_err(|error| format!("{error:#}"))
}

impl Compiler {
    /// Makes machine code for this engine. Blocks.
    ///
    /// # Errors
    /// It is not valid, is too much for the limits, or nobody waits for it any more.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        artefact: Artefact,
        (module, wasm): (&str, &[u8]),
        cancellation: &Cancellation,
    ) -> Result<Code, LoadError> {
        let compiled = match self {
            Compiler::InProcess => {
                compile_with(engine, artefact, wasm).map(Code::Bytes).map_err(Failure::Refused)
            }
            Compiler::Subprocess(subprocess) => {
                subprocess.run(artefact.name(), &[wasm], cancellation).map(Code::File)
            }
        };
        let module = module.to_owned();
        compiled.map_err(|failure| match failure {
            Failure::Refused(reason) => LoadError::Invalid { module, reason },
            failure => LoadError::Compile { module, failure },
        })
    }
}

/// Machine code as it was made, by a compiler of this program: nowhere that anybody else could write.
pub(crate) enum Code {
    /// By this process.
    Bytes(Vec<u8>),
    /// By a child, which wrote it into a file in memory. It stands at its beginning.
    File(File),
}

impl Code {
    /// All of it, from its beginning.
    pub(crate) fn reader(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Code::Bytes(bytes) => Box::new(&bytes[..]),
            Code::File(file) => {
                let mut file = file;
                io::Seek::rewind(&mut file)?;
                Box::new(file)
            }
        })
    }

    /// All of it.
    pub(crate) fn into_bytes(self) -> io::Result<Vec<u8>> {
        if let Code::Bytes(bytes) = self {
            return Ok(bytes);
        }
        let mut bytes = Vec::new();
        self.reader()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
