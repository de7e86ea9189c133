//! From WebAssembly to machine code: in this process, or in one of its own.
use std::fs::File;
use std::io::{self, Read};
use std::str::FromStr;
use std::sync::Arc;

use wasmtime::Engine;
use weir_subprocess::{Cancellation, Failure, Subprocess};

use crate::{LoadError, engine, reset};

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
    /// A component that is to be able to set itself back, if it can have that; with the modules that it imports: see [`framed`].
    ResettableComponent,
    /// A core module.
    Module,
}

impl Artefact {
    /// Its name on the command line of a compiling process.
    pub fn name(self) -> &'static str {
        match self {
            Artefact::Component => "component",
            Artefact::ResettableComponent => "resettable-component",
            Artefact::Module => "module",
        }
    }
}

impl FromStr for Artefact {
    type Err = ();

    fn from_str(name: &str) -> Result<Artefact, ()> {
        let all = [Artefact::Component, Artefact::ResettableComponent, Artefact::Module];
        all.into_iter().find(|artefact| artefact.name() == name).ok_or(())
    }
}

/// Makes machine code that a runtime of this program can run, on this machine. This is what a compiling process does; it
/// validates what it is given: WebAssembly, or, for [`Artefact::ResettableComponent`], what [`framed`] begins.
///
/// # Errors
/// Why it cannot be compiled.
pub fn compile(artefact: Artefact, input: &[u8]) -> Result<Vec<u8>, String> {
    let engine = engine::build().map_err(|error| error.to_string())?;
    match artefact {
        Artefact::Component | Artefact::Module => compile_with(&engine, artefact, &[input]),
        Artefact::ResettableComponent => {
            let parts = unframed(input).ok_or("what was sent to be compiled is cut off")?;
            compile_with(&engine, artefact, &parts)
        }
    }
}

/// What stands before these byte strings, one behind the other, when they are sent as one: how many they are, in four
/// bytes, and how long each is, in eight, all little-endian. A component comes first, then the modules that it imports.
pub fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let mut header = (parts.len() as u32).to_le_bytes().to_vec();
    parts.iter().for_each(|part| header.extend((part.len() as u64).to_le_bytes()));
    header
}

fn unframed(input: &[u8]) -> Option<Vec<&[u8]>> {
    let (count, rest) = input.split_first_chunk()?;
    let lengths = (u32::from_le_bytes(*count) as usize).checked_mul(8)?;
    let (lengths, mut rest) = rest.split_at_checked(lengths)?;
    let mut parts = Vec::new();
    for length in lengths.as_chunks().0 {
        let (part, behind) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        parts.push(part);
        rest = behind;
    }
    rest.is_empty().then_some(parts)
}

fn compile_with(engine: &Engine, artefact: Artefact, parts: &[&[u8]]) -> Result<Vec<u8>, String> {
    let (wasm, imported) = parts.split_first().ok_or("nothing was sent to be compiled")?;
    let compiled = match artefact {
        Artefact::Component => engine.precompile_component(wasm),
        Artefact::ResettableComponent => match reset::add(wasm, imported) {
            Some(with_reset) => engine.precompile_component(&with_reset),
            None => engine.precompile_component(wasm),
        },
        Artefact::Module => engine.precompile_module(wasm),
    };
    compiled.map_err(|error| format!("{error:#}"))
}

impl Compiler {
    /// Makes machine code for this engine, of WebAssembly and, for [`Artefact::ResettableComponent`], the modules that it
    /// imports. Blocks.
    ///
    /// # Errors
    /// It is not valid, is too much for the limits, or nobody waits for it any more.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        artefact: Artefact,
        (module, parts): (&str, &[&[u8]]),
        cancellation: &Cancellation,
    ) -> Result<Code, LoadError> {
        let compiled = match self {
            Compiler::InProcess => {
                compile_with(engine, artefact, parts).map(Code::Bytes).map_err(Failure::Refused)
            }
            Compiler::Subprocess(subprocess) => {
                let header = match artefact {
                    Artefact::ResettableComponent => framed(parts),
                    Artefact::Component | Artefact::Module => Vec::new(),
                };
                let input: Vec<&[u8]> = std::iter::once(&header[..]).chain(parts.iter().copied()).collect();
                subprocess.run(artefact.name(), &input, cancellation).map(Code::File)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_in_parts_comes_in_parts() {
        for parts in [&[][..], &[&b"a"[..]], &[b"component", b"", b"module"]] {
            let sent = [&framed(parts)[..], &parts.concat()].concat();
            assert_eq!(unframed(&sent).unwrap(), parts);
            for cut in 0..sent.len() {
                assert_eq!(unframed(&sent[..cut]), None, "{cut} bytes of {parts:?}");
            }
            assert_eq!(unframed(&[&sent[..], b"x"].concat()), None);
        }
        let endless = [&u32::MAX.to_le_bytes()[..], &[0xff; 64]].concat();
        assert_eq!(unframed(&endless), None);
    }
}
