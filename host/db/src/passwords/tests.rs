use super::hash::PasswordHash;
use super::*;

/// Of the reference implementation's own tests: `src/test.c` of P-H-C/phc-winner-argon2.
const PUBLISHED: [(&str, &str); 7] = [
    ("password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
    ("password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
    ("password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
    ("password", "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg"),
    ("password", "$argon2id$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$kCXUjmjvc5XMqQedpMTsOv+zyJEf5PhtGiUghW9jFyw"),
    (
        "differentpassword",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94",
    ),
    ("password", "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw"),
];

fn parse(text: &str) -> PasswordHash {
    PasswordHash::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn published_hashes_are_verified() {
    for (password, text) in PUBLISHED {
        let hash = parse(text);
        assert_eq!(hash.verify(password), Ok(true), "{text}");
        assert_eq!(hash.verify("sassword"), Ok(false), "{text}");
        assert_eq!(hash.to_string(), text);
    }
}

#[test]
fn a_new_hash_has_the_costs_that_are_promised_and_is_verified() {
    let hash = PasswordHash::make("correct horse", &[7; 16]).unwrap();
    let text = hash.to_string();
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$"), "{text}");
    assert_eq!(text.rsplit('$').next().unwrap().len(), 43, "32 bytes");
    assert_eq!(parse(&text).verify("correct horse"), Ok(true));
    assert_eq!(parse(&text).verify("correct horsf"), Ok(false));
    assert_ne!(PasswordHash::make("correct horse", &[8; 16]).unwrap().to_string(), text);
}

/// One character of the hash, the salt or a cost is another.
#[test]
fn a_changed_hash_is_another_passwords() {
    let (password, text) = PUBLISHED[1];
    for (from, to) in [("nf65", "nf66"), ("c29t", "c29u"), ("m=256", "m=257"), ("t=2", "t=3"), ("p=1", "p=2")]
    {
        assert_eq!(parse(&text.replacen(from, to, 1)).verify(password), Ok(false), "{from} -> {to}");
    }
}

#[test]
fn forged_and_foreign_hashes_are_refused_before_anything_is_computed() {
    let salt = "c29tZXNhbHQ";
    let output = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let with = |costs: &str| format!("$argon2id$v=19${costs}${salt}${output}");
    let cases = [
        (String::new(), "begin with"),
        ("password".into(), "begin with"),
        ("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW".into(), "begin with"),
        (format!("$argon2i$v=19$m=256,t=2,p=1${salt}${output}"), "begin with"),
        (format!("$argon2d$v=19$m=256,t=2,p=1${salt}${output}"), "begin with"),
        (format!("$argon2id$v=16$m=256,t=2,p=1${salt}${output}"), "begin with"),
        (format!("$argon2id$m=256,t=2,p=1${salt}${output}"), "begin with"),
        (with("m=65537,t=1,p=1"), "asks for more than m=65536"),
        (with("m=4294967295,t=1,p=1"), "asks for more than m=65536"),
        (with("m=65536,t=5,p=1"), "m times t"),
        (with("m=8,t=4294967295,p=1"), "m times t"),
        (with("m=65536,t=1,p=17"), "16 lanes"),
        (with("m=65536,t=1,p=16777216"), "16 lanes"),
        (with("m=4294967296,t=1,p=1"), "not written"),
        (with("m=-1,t=1,p=1"), "not written"),
        (with("m=+256,t=2,p=1"), "not written"),
        (with("m=,t=1,p=1"), "not written"),
        (with("t=2,m=256,p=1"), "not written"),
        (with("m=256,t=2"), "not written"),
        (with("m=256,t=2,p=1,keyid=AAAA"), "more parameters"),
        (with("m=256,t=2,p=1,data=AAAA"), "more parameters"),
        (with("m=7,t=1,p=1"), "less than argon2 allows"),
        (with("m=256,t=0,p=1"), "less than argon2 allows"),
        (with("m=256,t=2,p=0"), "less than argon2 allows"),
        (with("m=8,t=1,p=2"), "less than argon2 allows"),
        (format!("$argon2id$v=19$m=256,t=2,p=1${salt}"), "has not the parts"),
        (format!("{}$", with("m=256,t=2,p=1")), "has not the parts"),
        (format!("$argon2id$v=19$m=256,t=2,p=1${salt}=${output}"), "base64"),
        (format!("$argon2id$v=19$m=256,t=2,p=1${salt}${output}*"), "base64"),
        (format!("$argon2id$v=19$m=256,t=2,p=1$c29t${output}"), "8 to 64 bytes"),
        (format!("$argon2id$v=19$m=256,t=2,p=1${salt}$AAAA"), "16 to 64"),
        (format!("$argon2id$v=19$m=256,t=2,p=1${salt}$"), "16 to 64"),
        (format!("$argon2id$v=19$m=256,t=2,p=1${salt}${}", "A".repeat(250)), "too long"),
    ];
    for (text, reason) in cases {
        let error = PasswordHash::parse(&text).err().unwrap_or_else(|| panic!("{text} is taken"));
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn what_may_be_asked_for_most_is_verified() {
    let most = "$argon2id$v=19$m=65536,t=4,p=16$c29tZXNhbHQ$kCXUjmjvc5XMqQedpMTsOv+zyJEf5PhtGiUghW9jFyw";
    assert_eq!(parse(most).verify("password"), Ok(false));
}

fn text<T>(answer: Result<T, NoAnswer>) -> String {
    match answer {
        Err(NoAnswer::Refused(error) | NoAnswer::TooMany(error)) => error.code.to_string(),
        Err(NoAnswer::Later) => "later".to_owned(),
        Ok(_) => "known".to_owned(),
    }
}

#[test]
fn passwords_have_a_length() {
    let mut asked = AskedPasswords::default();
    let hash = PUBLISHED[1].1;
    for password in [String::new(), "x".repeat(1025), "é".repeat(513)] {
        assert_eq!(text(asked.hash(&password, || [0; 16])), "InvalidPassword");
        assert_eq!(text(asked.verify(&password, hash)), "InvalidPassword");
    }
    for password in ["x".to_owned(), "x".repeat(1024), "\0".repeat(3), "pass word ".to_owned()] {
        assert_eq!(text(asked.verify(&password, hash)), "later");
    }
}

#[test]
fn a_run_knows_what_the_runs_before_it_waited_for() {
    let mut known = PasswordResults::default();
    let mut salts = 0..;
    let mut run = |known: &mut PasswordResults| {
        let mut asked = AskedPasswords::with(std::mem::take(known));
        let mut salt = || [salts.next().unwrap(); 16];
        // The same password of two users has two hashes.
        let answers = asked
            .hash("one", &mut salt)
            .and_then(|first| Ok((first, asked.hash("one", &mut salt)?)))
            .and_then(|(first, second)| Ok((asked.verify("one", PUBLISHED[1].1)?, first, second)));
        let (waiting, still_known) = asked.end();
        *known = still_known;
        match (answers, waiting) {
            (Ok(answers), None) => Ok(answers),
            (Err(_), Some(work)) => Err(work),
            _ => panic!("a run waits, or ends"),
        }
    };
    for _ in 0..3 {
        let work = run(&mut known).expect_err("it waits");
        known.add(work.run());
    }
    let (is_right, first, second) = run(&mut known).expect("all is known");
    assert!(!is_right && first != second);
    assert_eq!(parse(&first).verify("one"), Ok(true));
    assert_eq!(parse(&second).verify("one"), Ok(true));
    assert_eq!(run(&mut known).expect("again"), (is_right, first, second));
}

#[test]
fn a_call_asks_so_often_and_no_more() {
    let mut known = PasswordResults::default();
    for number in 0..CALL_PASSWORDS_MAX {
        let mut asked = AskedPasswords::with(known);
        assert_eq!(text(asked.hash(&format!("{number}"), || [0; 16])), "later");
        let (waiting, still_known) = asked.end();
        known = still_known;
        known.add(PasswordResult { work: waiting.unwrap(), found: Found::Hash(String::new()) });
    }
    let mut asked = AskedPasswords::with(known);
    assert_eq!(text(asked.hash("0", || [0; 16])), "known");
    assert_eq!(text(asked.hash("one too many", || [0; 16])), "TooManyPasswords");
    assert!(!asked.is_waiting());
}

#[test]
fn without_memory_there_is_an_error_and_no_wait() {
    let mut asked = AskedPasswords::default();
    assert_eq!(text(asked.hash("one", || [0; 16])), "later");
    let (waiting, mut known) = asked.end();
    known.add(PasswordResult { work: waiting.unwrap(), found: Found::NoMemory });
    assert_eq!(text(AskedPasswords::with(known).hash("one", || [0; 16])), "Overloaded");
}

#[test]
fn no_text_of_it_shows_a_password() {
    let mut asked = AskedPasswords::default();
    let _ = asked.hash("secret", || [0; 16]);
    let (waiting, mut known) = asked.end();
    let work = waiting.unwrap();
    let result = work.clone().run();
    known.add(result.clone());
    let shown = format!("{work:?} {result:?} {known:?}");
    assert!(!shown.contains("secret") && !shown.contains("argon2"), "{shown}");
}
