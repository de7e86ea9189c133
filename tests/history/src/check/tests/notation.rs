//! Histories as text, one transaction a line: `m1 0-5 @3: x=1,2 x+3 [x=1,2,3 y=]`.
//!
//! That is a mutation (`q`: a query, `t`: a transition) of session 1, asked for at 0, answered at 5, of the
//! timestamp 3, which read the list x as 1, 2, appended 3 to it, and read a range in which x is 1, 2, 3 and y is
//! empty. `0-?` was never answered; `!` before the colon failed.

use crate::history::{History, Key, Kind, List, Operation, Outcome, Transaction};

pub(super) fn parse(text: &str) -> History {
    let mut history = History::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let transaction = transaction(line, &history);
        history.transactions.push(transaction);
    }
    history
}

fn transaction(line: &str, before: &History) -> Transaction {
    let (head, operations) = line.split_once(':').expect("a colon");
    let mut words = head.split_whitespace();
    let (kind, session) = words.next().expect("kind and session").split_at(1);
    let kind = match kind {
        "m" => Kind::Mutation,
        "q" => Kind::Query,
        "t" => Kind::Transition,
        other => panic!("{other} is not a kind"),
    };
    let session = session.parse().expect("a session");
    let (started, ended) = words.next().expect("a time").split_once('-').expect("two times");
    let mut transaction = Transaction {
        kind,
        outcome: if ended == "?" { Outcome::Unknown } else { Outcome::Committed },
        session,
        sequence: before.transactions.iter().filter(|other| other.session == session).count() as u32,
        started_ns: started.parse().expect("a time"),
        ended_ns: ended.parse().ok(),
        ts: None,
        operations: parse_operations(operations),
    };
    for word in words {
        match word.strip_prefix('@') {
            Some(ts) => transaction.ts = Some(ts.parse().expect("a timestamp")),
            None if word == "!" => transaction.outcome = Outcome::Aborted,
            None => panic!("{word} is nothing"),
        }
    }
    transaction
}

fn parse_operations(text: &str) -> Vec<Operation> {
    let mut operations = Vec::new();
    let mut range: Option<Vec<(Key, List)>> = None;
    for word in text.split_whitespace() {
        if word.starts_with('[') {
            range = Some(Vec::new());
        }
        let inner = word.trim_matches(['[', ']']);
        let operation = (!inner.is_empty()).then(|| operation(inner));
        match (&mut range, operation) {
            (Some(lists), Some(Operation::Read { key, list })) => lists.push((key, list)),
            (None, Some(operation)) => operations.push(operation),
            (_, None) => {}
            (Some(_), Some(other)) => panic!("{other:?} in a range"),
        }
        if word.ends_with(']') {
            operations.push(Operation::ReadRange { lists: range.take().expect("a range was opened").into() });
        }
    }
    operations
}

fn operation(word: &str) -> Operation {
    let key = Key::from(word.as_bytes()[0]);
    let rest = &word[2..];
    match word.as_bytes()[1] {
        b'+' => Operation::Append { key, element: rest.parse().expect("an element") },
        b'=' => {
            let elements = rest.split(',').filter(|element| !element.is_empty());
            Operation::Read {
                key,
                list: elements.map(|element| element.parse().expect("an element")).collect(),
            }
        }
        other => panic!("{other} is not an operation"),
    }
}
