//! What one format, one comparison and one formatter cost: `cargo run --release -p weir-intl --example intl_cost`.
use std::time::Instant;

const NUMBER: &str = r#"{"locale":"de","numberingSystem":"latn","style":"currency","currency":"EUR","minimumFractionDigits":2,"maximumFractionDigits":2}"#;
const DATE: &str = r#"{"locale":"de","calendar":"gregory","numberingSystem":"latn","timeZone":"Europe/Berlin","dateStyle":"full","timeStyle":"short"}"#;
const ORDER: &str = r#"{"locale":"de"}"#;

#[expect(clippy::disallowed_methods, reason = "what is measured")]
fn measure(what: &str, times: u32, mut work: impl FnMut(u32)) {
    let began = Instant::now();
    (0..times).for_each(&mut work);
    println!("{what:>32}: {:8.2} us", began.elapsed().as_secs_f64() * 1e6 / f64::from(times));
}

fn main() {
    let run = |operation: &str, options: &str, input: &str| {
        std::hint::black_box(weir_intl::run(operation, options, input).expect("it is right"));
    };
    let compare = |a: &str, b: &str| {
        std::hint::black_box(weir_intl::compare(ORDER, a, b).expect("it is right"));
    };
    measure("a number's first format", 1, |_| run("number.format", NUMBER, "1234.5"));
    measure("a date's first format", 1, |_| run("date.format", DATE, "1700000000000"));
    measure("a first comparison", 1, |_| compare("Äpfel", "Apfel"));
    measure("a number", 100_000, |_| run("number.format", NUMBER, "1234567.891"));
    measure("a date with its zone", 100_000, |_| run("date.format", DATE, "1700000000000"));
    measure("a comparison", 100_000, |_| compare("Äpfel", "Apfel"));
    measure("a sort key", 100_000, |_| {
        std::hint::black_box(weir_intl::sort_key(ORDER, "Äpfel und Birnen").expect("it is right"));
    });
    measure("another formatter of dates", 200, |i| {
        run(
            "date.format",
            &DATE
                .replace("full", if i % 2 == 0 { "long" } else { "short" })
                .replace('}', &format!(r#","x":{i}}}"#)),
            "0",
        );
    });
    measure("weights of ASCII", 1, |_| run("text.asciiWeights", ORDER, ""));
    let text = "Der schnelle braune Fuchs springt über den faulen Hund. ".repeat(4000);
    measure("words of 224 KB", 1, |_| run("text.segments", "word", &text));
    let thai = "ฉันรักภาษาไทยและประเทศไทย".repeat(3000);
    measure("words of 225 KB in Thai", 1, |_| run("text.segments", "word", &thai));
}
