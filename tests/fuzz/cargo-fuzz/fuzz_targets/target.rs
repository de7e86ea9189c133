//! A target of weir-fuzz, for libFuzzer. Which one, the environment says.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use weir_fuzz::Target;

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("WEIR_FUZZ_TARGET").expect("WEIR_FUZZ_TARGET names a target");
    weir_fuzz::target(&name).expect("`weir-fuzz --list` tells the targets that there are")
});

fuzz_target!(|input: &[u8]| (TARGET.run)(input));
