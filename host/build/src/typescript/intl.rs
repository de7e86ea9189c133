//! `weir:guest/intl` for a project that is loaded: a module may make an `Intl.NumberFormat` in top-level code. It is pure, so
//! what it gives there is what it gives in a call.

use wasmtime::{Caller, Linker, Result};
use weir_intl::IntlError;

use crate::preinitialize::bytes_at;
use crate::snapshots::bounds::Bounds;
use crate::snapshots::variables::{hand_over, memory_of, write_words};

/// The interface, as core modules import it.
const INTERFACE: &str = "weir:guest/intl@0.1.0";

type Call<'a> = Caller<'a, Bounds>;

/// Defines the interface for a module that exports `memory` and `cabi_realloc`.
pub(crate) fn link(linker: &mut Linker<Bounds>) -> Result<()> {
    linker.func_wrap(
        INTERFACE,
        "run",
        |mut caller: Call<'_>, a: u32, a_len: u32, b: u32, b_len: u32, c: u32, c_len: u32, answer: u32| {
            let [operation, options, input] = texts(&mut caller, [(a, a_len), (b, b_len), (c, c_len)])?;
            let found = weir_intl::run(&operation, &options, &input);
            bytes(&mut caller, answer, found.map(String::into_bytes))
        },
    )?;
    linker.func_wrap(
        INTERFACE,
        "compare",
        |mut caller: Call<'_>, a: u32, a_len: u32, b: u32, b_len: u32, c: u32, c_len: u32, answer: u32| {
            let [options, first, second] = texts(&mut caller, [(a, a_len), (b, b_len), (c, c_len)])?;
            match weir_intl::compare(&options, &first, &second) {
                Ok(order) => write_words(&mut caller, answer, &[0, order as i32 as u32]),
                Err(error) => fail(&mut caller, answer, &error),
            }
        },
    )?;
    linker.func_wrap(
        INTERFACE,
        "sort-key",
        |mut caller: Call<'_>, a: u32, a_len: u32, b: u32, b_len: u32, answer: u32| {
            let [options, text] = texts(&mut caller, [(a, a_len), (b, b_len)])?;
            bytes(&mut caller, answer, weir_intl::sort_key(&options, &text))
        },
    )?;
    Ok(())
}

/// The texts at these addresses, of these lengths.
fn texts<const N: usize>(caller: &mut Call<'_>, at: [(u32, u32); N]) -> Result<[String; N]> {
    let memory = memory_of(caller)?;
    let content = memory.data(&*caller);
    let mut texts = [const { String::new() }; N];
    for (text, (start, length)) in texts.iter_mut().zip(at) {
        let bytes = bytes_at(content, start as usize, length as usize)?;
        *text = String::from_utf8_lossy(bytes).into_owned();
    }
    Ok(texts)
}

fn bytes(caller: &mut Call<'_>, answer: u32, found: weir_intl::Result<Vec<u8>>) -> Result<()> {
    match found {
        Ok(bytes) => {
            let (start, length) = hand_over(caller, 1, &bytes)?;
            write_words(caller, answer, &[0, start, length])
        }
        Err(error) => fail(caller, answer, &error),
    }
}

fn fail(caller: &mut Call<'_>, answer: u32, error: &IntlError) -> Result<()> {
    let (code, code_len) = hand_over(caller, 1, error.code().as_str().as_bytes())?;
    let (message, message_len) = hand_over(caller, 1, error.to_string().as_bytes())?;
    write_words(caller, answer, &[1, code, code_len, message, message_len])
}
