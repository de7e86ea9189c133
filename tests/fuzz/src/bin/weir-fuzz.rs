//! Runs targets without a fuzzer: inputs that are made of the corpus, from a seed.
//!
//! Not here: what has to hold.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use weir_fuzz::{Bound, Campaign, CountingAllocator, TARGETS, Target, target};
use weir_store::{Env as _, RealEnv};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What comes from outside, mutated. An input for which something does not hold is told, and kept in a file.
#[derive(Debug, Parser)]
struct Arguments {
    /// Runs one target, and not all
    #[arg(long, value_parser = parse_target)]
    target: Option<&'static Target>,
    /// Lists the targets
    #[arg(long, conflicts_with = "target")]
    list: bool,
    /// Lists those alone that run in one process with what they test, which is what libFuzzer can follow
    #[arg(long, requires = "list")]
    inside: bool,
    /// Prints the target's dictionary, as libFuzzer reads it
    #[arg(long, requires = "target")]
    dictionary: bool,
    /// Prints how long the target's inputs are at most
    #[arg(long, requires = "target")]
    bytes_max: bool,
    /// Where the inputs come from; a new one, unless told otherwise
    #[arg(long)]
    seed: Option<u64>,
    /// How long each target runs
    #[arg(long, default_value_t = 10, conflicts_with = "rounds")]
    seconds: u64,
    /// How many new inputs each target gets, instead of a time
    #[arg(long)]
    rounds: Option<usize>,
    /// Where inputs go for which something does not hold
    #[arg(long, default_value = "fuzz-artifacts")]
    artifacts: PathBuf,
    /// Runs these inputs alone
    #[arg(requires = "target")]
    inputs: Vec<PathBuf>,
}

fn parse_target(name: &str) -> Result<&'static Target, String> {
    target(name).ok_or_else(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        format!("there is no target `{name}`; there are {}", names.join(", "))
    })
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.list {
        let listed = TARGETS.iter().filter(|target| target.is_in_process || !arguments.inside);
        listed.for_each(|target| println!("{}", target.name));
        return Ok(ExitCode::SUCCESS);
    }
    let campaign = || Campaign::new(arguments.artifacts.clone());
    match arguments.target {
        Some(target) if arguments.dictionary => print!("{}", dictionary(target)),
        Some(target) if arguments.bytes_max => println!("{}", target.bytes_max),
        Some(target) if !arguments.inputs.is_empty() => {
            return run_inputs(&campaign(), target, &arguments.inputs);
        }
        _ => return Ok(run_targets(&campaign(), &arguments)),
    }
    Ok(ExitCode::SUCCESS)
}

/// A word a line, in quotes, with everything but plain characters as `\xNN`.
fn dictionary(target: &Target) -> String {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' => format!("\\{}", byte as char),
        b' '..=b'~' => (byte as char).to_string(),
        _ => format!("\\x{byte:02X}"),
    };
    let line = |word: &&str| format!("\"{}\"\n", word.bytes().map(escaped).collect::<String>());
    target.dictionary.iter().map(line).collect()
}

fn run_inputs(campaign: &Campaign, target: &'static Target, inputs: &[PathBuf]) -> Result<ExitCode> {
    for file in inputs {
        let input = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        if let Err(failure) = campaign.try_input(target, &input) {
            println!("{failure}");
            return Ok(ExitCode::FAILURE);
        }
        println!("{}: all holds for {}", target.name, file.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn run_targets(campaign: &Campaign, arguments: &Arguments) -> ExitCode {
    let seed = arguments.seed.unwrap_or_else(new_seed);
    let bound = match arguments.rounds {
        Some(rounds) => Bound::Rounds(rounds),
        None => Bound::Time(Duration::from_secs(arguments.seconds)),
    };
    println!("seed {seed}");
    let mut code = ExitCode::SUCCESS;
    let is_meant = |target: &&Target| match arguments.target {
        Some(only) => only.name == target.name,
        None => true,
    };
    for target in TARGETS.iter().filter(is_meant) {
        match campaign.run(target, seed, bound) {
            Ok(inputs) => println!("{}: all holds for {inputs} inputs", target.name),
            Err(failure) => {
                println!("{failure}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn new_seed() -> u64 {
    let mut bytes = [0; 8];
    RealEnv::new().fill_random(&mut bytes);
    u64::from_le_bytes(bytes)
}
