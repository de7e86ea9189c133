//! Variables: who depends on which, what conflicts, what is refused, and that no text shows a value.
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use weir_value::limits::{VARIABLE_VALUE_BYTES_MAX, VARIABLES_MAX};
use weir_value::{DocumentId, Schema};

use crate::testing::World;
use crate::{
    Database, DbError, FunctionKind, NoFunctions, Transaction, VariableChanges, VariablesError, keyspace,
    system_tables,
};

/// Names and values; without one, to be removed.
type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

fn changes(of: Changes<'_>) -> VariableChanges {
    let owned = of.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
    VariableChanges::new(owned).expect("valid changes")
}

fn set(world: &World, of: Changes<'_>) {
    world.db.set_variables(&changes(of)).expect("they can be set");
}

fn all(db: &Database) -> Vec<(String, String)> {
    db.variables(&db.store().snapshot_sequenced()).expect("readable").to_map().into_iter().collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Whether something that was read has been written since, as the conflict check and the live queries see it.
fn is_hit(world: &World, tx: &Transaction) -> bool {
    world.db.committer.enter().check(tx.reads(), tx.ts()).is_err()
}

#[test]
fn variables_are_set_changed_and_removed_in_one_commit() {
    let world = World::new();
    let mut before = world.tx();
    set(&world, &[("A", Some("1")), ("B", Some("é\n\"\0")), ("C", Some(""))]);
    assert_eq!(all(&world.db), pairs(&[("A", "1"), ("B", "é\n\"\0"), ("C", "")]));
    set(&world, &[("A", None), ("B", Some("2")), ("D", Some("4")), ("E", None)]);
    assert_eq!(all(&world.db), pairs(&[("B", "2"), ("C", ""), ("D", "4")]));
    let mut tx = world.tx();
    let mut get = |name: &str| tx.variable(name).expect("readable");
    assert_eq!([get("A"), get("B"), get("C"), get("E")], [None, Some("2".into()), Some("".into()), None]);
    assert_eq!(tx.variable_names().unwrap(), ["B", "C", "D"]);
    assert_eq!(before.variable("A").unwrap(), None, "a snapshot keeps what it had");
    world.assert_sound();
}

#[test]
fn what_stays_as_it_is_is_not_written() {
    let world = World::new();
    set(&world, &[("A", Some("1"))]);
    let newest = world.db.store().sequenced();
    set(&world, &[("A", Some("1")), ("B", None)]);
    assert_eq!(world.db.store().sequenced(), newest);
}

#[test]
fn a_query_depends_on_the_variables_that_it_reads_alone() {
    let world = World::new();
    set(&world, &[("A", Some("1")), ("AB", Some("1")), ("B", Some("1"))]);
    let reading = |name: &str| {
        let mut tx = world.begin(FunctionKind::Query);
        tx.variable(name).expect("readable");
        tx
    };
    let cases: [(Changes<'_>, [bool; 3]); 9] = [
        (&[("A", Some("2"))], [true, false, true]),
        (&[("A", Some("2"))], [false, false, false]),
        (&[("AB", Some("2"))], [false, false, true]),
        (&[("B", None)], [false, false, true]),
        (&[("ABSENT", Some("1"))], [false, true, true]),
        (&[("ABSENT", None)], [false, true, true]),
        (&[("ABSENT2", Some("1")), ("ABSEN", Some("1"))], [false, false, true]),
        (&[("A", None)], [true, false, true]),
        (&[("A", Some("3")), ("ABSENT", Some("3"))], [true, true, true]),
    ];
    for (of, expected) in cases {
        let (a, absent) = (reading("A"), reading("ABSENT"));
        let mut names = world.begin(FunctionKind::Query);
        names.variable_names().expect("readable");
        set(&world, of);
        assert_eq!([&a, &absent, &names].map(|tx| is_hit(&world, tx)), expected, "{of:?}");
    }
    let (read_set, ..) = reading("A").into_read_set();
    assert_eq!((read_set.points().len(), read_set.ranges().len()), (1, 0), "one point is all that is read");
}

#[test]
fn a_mutation_conflicts_with_a_change_of_what_it_read() {
    let world = World::new();
    set(&world, &[("A", Some("1")), ("B", Some("1"))]);
    let writes = |name: &str| {
        let mut tx = world.tx();
        tx.variable(name).expect("readable");
        tx.insert("t", b"{}").expect("inserted");
        tx
    };
    let (a, b, absent, blind) = (writes("A"), writes("B"), writes("C"), {
        let mut tx = world.tx();
        tx.insert("t", b"{}").expect("inserted");
        tx
    });
    set(&world, &[("A", Some("2")), ("C", Some("2"))]);
    // The first makes the table, which the others then would conflict with: look, without committing.
    let gate = world.db.committer.enter();
    let conflicts = |tx: &Transaction| gate.check(tx.reads(), tx.ts()).is_err();
    assert_eq!(
        [conflicts(&a), conflicts(&b), conflicts(&absent), conflicts(&blind)],
        [true, false, true, false]
    );
}

#[test]
fn built_in_variables_are_the_servers() {
    let world = World::new();
    let url = "http://127.0.0.1:3210".to_owned();
    world.db.set_built_in_variables(BTreeMap::from([("CONVEX_SITE_URL".to_owned(), url.clone())]));
    set(&world, &[("A", Some("1"))]);
    let mut tx = world.tx();
    assert_eq!(tx.variable("CONVEX_SITE_URL").unwrap(), Some(url.clone()));
    assert_eq!(tx.variable("CONVEX_CLOUD_URL").unwrap(), None);
    assert_eq!(tx.variable_names().unwrap(), ["A", "CONVEX_SITE_URL"]);
    let seen = world.db.variables(&world.db.store().snapshot_sequenced()).unwrap();
    assert_eq!(seen.get("CONVEX_SITE_URL"), Some(url.as_str()));
    assert_eq!(seen.set().len(), 1, "what was set is told from what is built in");
}

#[test]
fn what_cannot_be_set_is_refused_by_name_and_nothing_is_changed() {
    let world = World::new();
    let large = "x".repeat(VARIABLE_VALUE_BYTES_MAX + 1);
    let cases = [
        ("", "v", "InvalidVariable", "must not be empty"),
        ("9A", "v", "InvalidVariable", "begin with"),
        ("A-B", "hidden", "InvalidVariable", "contains '-'"),
        ("A=hidden", "v", "InvalidVariable", "contains '='"),
        ("CONVEX_SITE_URL", "hidden", "InvalidVariable", "`CONVEX_SITE_URL` is built in"),
        ("CONVEX_CLOUD_URL", "hidden", "InvalidVariable", "built in"),
        ("LARGE", &large, "InvalidVariable", "`LARGE` is too large: 8193 bytes, where 8192 are allowed"),
    ];
    for (name, value, code, text) in cases {
        let of = [("GOOD".to_owned(), Some("1".to_owned())), (name.to_owned(), Some(value.to_owned()))];
        let error = VariableChanges::new(of).expect_err(name);
        assert_eq!(error.code, code, "{name}");
        assert!(
            error.message.contains(text) && !error.message.contains("hidden"),
            "{name}: {}",
            error.message
        );
    }
    // The built-in ones cannot be removed either.
    assert!(VariableChanges::new([("CONVEX_SITE_URL".to_owned(), None)]).is_err());
    let largest = "x".repeat(VARIABLE_VALUE_BYTES_MAX);
    set(&world, &[("LARGEST", Some(&largest)), ("CONVEX_OWN", Some("1"))]);
}

#[test]
fn there_may_be_so_many_variables() {
    let world = World::new();
    let named = |count: usize| (0..count).map(|n| (format!("V{n}"), Some("1".to_owned())));
    let full = VariableChanges::new(named(VARIABLES_MAX)).unwrap();
    world.db.set_variables(&full).expect("as many as there may be, at once");
    let refused = |of: &VariableChanges| match world.db.set_variables(of) {
        Err(VariablesError::Refused(DbError { code, message })) => (code.to_string(), message),
        other => panic!("{other:?}"),
    };
    let (code, message) = refused(&changes(&[("ONE_MORE", Some("1"))]));
    assert_eq!(code, "TooManyVariables");
    assert!(message.contains("1001 variables; at most 1000"), "{message}");
    set(&world, &[("V7", None), ("ONE_MORE", Some("1"))]);
    set(&world, &[("V8", Some("2"))]);
    assert_eq!(all(&world.db).len(), VARIABLES_MAX);
    world.assert_sound();
}

/// Secrets are not documents that functions can read.
#[test]
fn the_table_of_variables_is_hidden() {
    let world = World::new();
    set(&world, &[("A", Some("hidden"))]);
    let snapshot = world.db.store().snapshot_sequenced();
    let place = snapshot.get(&keyspace::variable_name_key("A")).unwrap().expect("it is there");
    let id: DocumentId = keyspace::document_at_place(system_tables::VARIABLES, &place).unwrap();
    let (id, plan) = (id.to_string(), br#"{"table":"_variables"}"#);
    let by_id = json!({"table": "_variables", "index": "by_id"}).to_string();
    let many = json!([id]).to_string();
    type Attempt<'a> = Box<dyn Fn(&mut Transaction) -> Result<(), DbError> + 'a>;
    let attempts: [(&str, Attempt<'_>); 10] = [
        ("InvalidQuery", Box::new(|tx| tx.query(plan, 0).map(drop))),
        ("InvalidQuery", Box::new(|tx| tx.query(by_id.as_bytes(), 0).map(drop))),
        ("InvalidQuery", Box::new(|tx| tx.page(plan, br#"{"cursor":null,"numItems":1}"#).map(drop))),
        ("InvalidQuery", Box::new(|tx| tx.count(plan).map(drop))),
        ("InvalidId", Box::new(|tx| tx.get(None, &id).map(drop))),
        ("InvalidId", Box::new(|tx| tx.get(Some("_variables"), &id).map(drop))),
        ("InvalidId", Box::new(|tx| tx.get_many(None, many.as_bytes()).map(drop))),
        ("InvalidId", Box::new(|tx| tx.patch(None, &id, b"{}"))),
        ("InvalidId", Box::new(|tx| tx.delete(None, &id))),
        ("InvalidTableName", Box::new(|tx| tx.insert("_variables", b"{}").map(drop))),
    ];
    for (number, (code, attempt)) in attempts.iter().enumerate() {
        let error = attempt(&mut world.tx()).expect_err("it is hidden");
        assert_eq!(error.code, *code, "{number}: {}", error.message);
        assert!(!error.message.contains("hidden"), "{}", error.message);
    }
    let mut tx = world.tx();
    assert_eq!(tx.normalize_id("_variables", &id), None);
    let told = tx.query(plan, 0).unwrap_err().message;
    assert!(told.contains("process.env.NAME"), "{told}");
}

#[test]
fn a_deployment_sets_variables_in_its_commit_or_not_at_all() {
    let world = World::new();
    let deploy = |of: &[(&str, Option<&str>)]| {
        let mut prepared = world.db.prepare(Schema::default()).expect("prepared");
        prepared.set_variables(changes(of));
        while prepared.step(&world.db).expect("a step") {}
        let record = Bytes::from_static(b"{}");
        let before = world.db.store().sequenced();
        let put = world.db.put_in_force(&prepared, Arc::new(NoFunctions), record, b"{}");
        (before, put)
    };
    let (before, put) = deploy(&[("A", Some("1"))]);
    let (version, ts) = put.expect("in force");
    assert!(before < ts && world.db.store().sequenced() == ts, "one commit");
    assert_eq!(all(&world.db), pairs(&[("A", "1")]));
    let full: Vec<_> = (0..VARIABLES_MAX).map(|n| (format!("V{n}"), Some("1"))).collect();
    let full: Vec<_> = full.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let refused = deploy(&full).1.expect_err("too many").to_string();
    assert!(refused.contains("1001 variables"), "{refused}");
    assert_eq!((all(&world.db).len(), world.db.deployment().0), (1, version));
    world.assert_sound();
}

#[test]
fn variables_outlive_the_process() {
    let world = World::new();
    set(&world, &[("A", Some("1")), ("B", Some("2"))]);
    set(&world, &[("A", Some("3"))]);
    let opened = Database::open(world.db.store().clone(), world.env.clone()).expect("opened again");
    assert_eq!(all(&opened), pairs(&[("A", "3"), ("B", "2")]));
}

#[test]
fn no_text_shows_a_value() {
    let world = World::new();
    set(&world, &[("A", Some("hidden"))]);
    let variables = world.db.variables(&world.db.store().snapshot_sequenced()).unwrap();
    let texts = [format!("{variables:?}"), format!("{:?}", changes(&[("A", Some("hidden")), ("B", None)]))];
    assert_eq!(texts, [r#"{"A"}"#, r#"{"A", "B"}"#]);
}

#[test]
fn a_check_finds_names_that_do_not_agree() {
    let world = World::new();
    set(&world, &[("A", Some("hidden"))]);
    let write = weir_store::Write { key: keyspace::variable_name_key("GHOST"), value: Some(Bytes::new()) };
    world.db.committer.enter().sequence_plain(vec![write]).unwrap();
    let remove = weir_store::Write { key: keyspace::variable_name_key("A"), value: None };
    world.db.committer.enter().sequence_plain(vec![remove]).unwrap();
    let found = crate::check(&world.db.store().snapshot_sequenced()).unwrap().problems.join("\n");
    assert!(found.contains("`GHOST`") && found.contains("`A`") && !found.contains("hidden"), "{found}");
}
