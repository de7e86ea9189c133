//! Pages: walked through they are the query, and live ones neither leave a gap nor overlap.
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::testing::{World, parse, query_all};
use crate::{DbError, FunctionKind, Transaction};

const PLAN: &str = r#"{"table":"t","index":"by_n"}"#;

fn world() -> World {
    seeded(1)
}

fn seeded(seed: u64) -> World {
    let world = World::seeded(seed);
    let index = json!([{ "indexDescriptor": "by_n", "fields": ["n"] }]);
    let table = json!({ "tableName": "t", "indexes": index, "documentType": { "type": "any" } });
    world.deploy(&json!({ "tables": [table] })).unwrap();
    world
}

fn insert(world: &World, n: u8) -> String {
    world.write(|tx| tx.insert("t", format!(r#"{{"n":{n}}}"#).as_bytes()))
}

fn page(tx: &mut Transaction, plan: &str, options: &Json) -> Result<Json, DbError> {
    tx.page(plan.as_bytes(), options.to_string().as_bytes()).map(|page| parse(&page))
}

/// A page as a live query has it: read again it ends where it ended.
struct LivePage {
    cursor: Json,
    items: u32,
    journal: Option<String>,
    result: Json,
}

impl LivePage {
    fn run(world: &World, plan: &str, cursor: Json, items: u32) -> LivePage {
        let mut page = LivePage { cursor, items, journal: None, result: Json::Null };
        page.run_again(world, plan);
        page
    }

    fn run_again(&mut self, world: &World, plan: &str) {
        let mut tx = world.begin(FunctionKind::Query);
        tx.resume_page(self.journal.take());
        self.result = page(&mut tx, plan, &json!({ "cursor": self.cursor, "numItems": self.items })).unwrap();
        self.journal = tx.into_read_set().1;
    }

    fn documents(&self) -> Vec<Json> {
        self.result["page"].as_array().unwrap().clone()
    }
}

fn live_pages(world: &World, plan: &str, items: u32) -> Vec<LivePage> {
    let mut pages = vec![LivePage::run(world, plan, Json::Null, items)];
    while !pages.last().unwrap().result["isDone"].as_bool().unwrap() {
        let cursor = pages.last().unwrap().result["continueCursor"].clone();
        pages.push(LivePage::run(world, plan, cursor, items));
    }
    pages
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn live_pages_neither_leave_a_gap_nor_overlap(
        ns in prop::collection::vec(any::<u8>(), 0..30),
        rounds in prop::collection::vec(prop::collection::vec((any::<bool>(), any::<u8>()), 0..8), 1..5),
        items in 1u32..6, descending: bool, built_in: bool, filtered: bool,
    ) {
        let world = world();
        let mut ids: Vec<String> = ns.iter().map(|n| insert(&world, *n)).collect();
        let mut plan = json!({ "table": "t", "order": if descending { "desc" } else { "asc" } });
        if !built_in {
            plan["index"] = "by_n".into();
        }
        if filtered {
            plan["filter"] = json!({ "$lt": [{ "$field": "n" }, { "$literal": 128.0 }] });
        }
        let text = plan.to_string();
        let mut pages = live_pages(&world, &text, items);
        for round in rounds {
            for (inserts, choice) in round {
                match ids.len() {
                    len if inserts || len == 0 => ids.push(insert(&world, choice)),
                    len => {
                        let id = ids.swap_remove(usize::from(choice) % len);
                        world.write(|tx| tx.delete(None, &id));
                    }
                }
            }
            pages.iter_mut().for_each(|page| page.run_again(&world, &text));
            let all: Vec<Json> = pages.iter().flat_map(LivePage::documents).collect();
            let expected = query_all(&mut world.tx(), &plan, 0).unwrap();
            prop_assert_eq!(&all, &expected);
            for pair in pages.windows(2) {
                prop_assert_eq!(&pair[0].result["continueCursor"], &pair[1].cursor);
            }
        }
    }

    /// The two halves of a page are the page.
    #[test]
    fn a_page_can_be_split(ns in prop::collection::vec(any::<u8>(), 2..20), items in 2u32..20) {
        let world = world();
        ns.iter().for_each(|n| drop(insert(&world, *n)));
        let whole = page(&mut world.tx(), PLAN, &json!({ "cursor": null, "numItems": items })).unwrap();
        let split = whole["splitCursor"].clone();
        prop_assert!(split.is_string());
        let options = |cursor: Json, end: &Json| json!({ "cursor": cursor, "endCursor": end, "numItems": 1 });
        let first = page(&mut world.tx(), PLAN, &options(Json::Null, &split)).unwrap();
        let second = page(&mut world.tx(), PLAN, &options(split, &whole["continueCursor"])).unwrap();
        let documents = |page: &Json| page["page"].as_array().unwrap().clone();
        prop_assert_eq!([documents(&first), documents(&second)].concat(), documents(&whole));
        prop_assert_eq!(&second["continueCursor"], &whole["continueCursor"]);
    }
}

#[test]
fn limits_of_a_page_ask_for_a_split() {
    let world = world();
    (0..10).for_each(|n| drop(insert(&world, n)));
    let options = json!({ "cursor": null, "numItems": 8, "maximumRowsRead": 3 });
    let short = page(&mut world.tx(), PLAN, &options).unwrap();
    assert_eq!((short["page"].as_array().unwrap().len(), &short["pageStatus"]), (3, &Json::Null));
    let whole = page(&mut world.tx(), PLAN, &json!({ "cursor": null, "numItems": 8 })).unwrap();
    let end = &whole["continueCursor"];
    let options = json!({ "cursor": null, "endCursor": end, "numItems": 8, "maximumRowsRead": 3 });
    let required = page(&mut world.tx(), PLAN, &options).unwrap();
    assert_eq!((required["pageStatus"].as_str(), &required["continueCursor"]), (Some("SplitRequired"), end));
    assert!(required["splitCursor"].is_string());
    let none = r#"{"table":"t","index":"by_n","filter":{"$literal":false}}"#;
    let dropped = page(&mut world.tx(), none, &json!({ "cursor": null, "numItems": 8 })).unwrap();
    assert!(dropped["splitCursor"].is_string(), "also rows that the filter drops can be too many: {dropped}");
}

#[test]
fn wrong_options_and_cursors_are_told() {
    let world = world();
    (0..4).for_each(|n| drop(insert(&world, n)));
    let first = page(&mut world.tx(), PLAN, &json!({ "cursor": null, "numItems": 2 })).unwrap();
    let cursor = &first["continueCursor"];
    let code = |plan: &str, options: Json| {
        let mut tx = world.tx();
        let error = page(&mut tx, plan, &options).unwrap_err();
        (error.code.as_str(), tx.poisoned().is_some())
    };
    let at = |cursor: &Json| json!({ "cursor": cursor, "numItems": 2 });
    assert_eq!(code(r#"{"table":"t"}"#, at(cursor)), ("InvalidCursor", true));
    assert_eq!(code(r#"{"table":"t","index":"by_n","order":"desc"}"#, at(cursor)), ("InvalidCursor", true));
    assert_eq!(code(PLAN, at(&json!("forged"))), ("InvalidCursor", true));
    assert_eq!(code(PLAN, json!({ "cursor": null, "numItems": 0 })), ("InvalidQuery", false));
    assert_eq!(code(PLAN, json!({ "cursor": null, "numItems": 1.5 })), ("InvalidQuery", false));
    assert_eq!(code(PLAN, json!({ "cursor": null })), ("InvalidQuery", false));
    assert_eq!(code(r#"{"table":"t","limit":1}"#, at(&Json::Null)), ("InvalidQuery", false));
    let other = seeded(2);
    (0..4).for_each(|n| drop(insert(&other, n)));
    assert_eq!(
        page(&mut other.tx(), PLAN, &at(cursor)).unwrap_err().code,
        "InvalidCursor",
        "of another database"
    );
    let mut tx = world.tx();
    page(&mut tx, PLAN, &at(&Json::Null)).unwrap();
    assert_eq!(page(&mut tx, PLAN, &at(&Json::Null)).unwrap_err().code, "TooManyPages");
}

#[test]
fn a_cursor_outlives_the_process_and_the_index() {
    let world = world();
    (0..4).for_each(|n| drop(insert(&world, n)));
    let first = page(&mut world.tx(), PLAN, &json!({ "cursor": null, "numItems": 2 })).unwrap();
    let env: Arc<dyn weir_store::Env> = world.env.clone();
    let again =
        World { db: crate::Database::open(world.db.store().clone(), env).unwrap(), env: world.env.clone() };
    let options = json!({ "cursor": first["continueCursor"], "numItems": 2 });
    let second = page(&mut again.tx(), PLAN, &options).unwrap();
    assert_eq!(second["page"][0]["n"], 2.0);
    let other = json!([{ "indexDescriptor": "by_n", "fields": ["m"] }]);
    let table = json!({ "tableName": "t", "indexes": other, "documentType": { "type": "any" } });
    again.deploy(&json!({ "tables": [table] })).unwrap();
    assert_eq!(page(&mut again.tx(), PLAN, &options).unwrap_err().code, "InvalidCursor", "other fields");
}
