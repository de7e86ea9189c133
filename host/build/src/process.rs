//! Compilers as child processes, whose output goes out line by line.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::build::{BuildError, Progress};
use crate::project::Module;

/// Runs a compiler to its end. What it writes to standard error goes out as
/// progress; what it wrote to standard output is given back.
///
/// # Errors
/// It cannot be run, or ends without success.
pub(crate) fn run(
    module: &Module,
    command: &mut Command,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<u8>, BuildError> {
    let program = command.get_program().to_owned();
    let failed = |source| BuildError::file("run", Path::new(&program), source);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut output = String::new();
    // Both pipes are read at once: a full one would stop the compiler.
    let written = thread::scope(|scope| {
        let reader = scope.spawn(move || read_all(stdout));
        for line in stderr.into_iter().flat_map(|pipe| BufReader::new(pipe).split(b'\n')) {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            progress(Progress::Output { module: &module.name, line: &line });
            output.push_str(&line);
            output.push('\n');
        }
        reader.join().unwrap_or_else(|_| Ok(Vec::new()))
    });
    let written = written.map_err(failed)?;
    let status = child.wait().map_err(failed)?;
    if status.success() {
        return Ok(written);
    }
    let name = Path::new(&program).file_name().unwrap_or(&program).to_string_lossy().into_owned();
    Err(BuildError::Compiler {
        module: module.name.clone(),
        command: name,
        status: status.to_string(),
        output,
    })
}

fn read_all(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
