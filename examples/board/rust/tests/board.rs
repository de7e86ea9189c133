//! The board's functions, on a database in memory: `cargo test`.

use std::collections::BTreeMap;

use board as _;
use weir::prelude::*;
use weir_test::{Database, Error as Failure};

type Outcome<T> = std::result::Result<T, Failure>;

#[value]
struct Joined {
    team: Id,
    member: Id,
}

#[value]
struct Person {
    #[serde(rename = "_id")]
    id: Id,
    name: String,
}

#[value]
struct Card {
    #[serde(rename = "_id")]
    id: Id,
    title: String,
    assignee: Option<Person>,
    comments: f64,
}

/// What `usePaginatedQuery` reads of a page.
#[value]
#[serde(rename_all = "camelCase")]
struct Page {
    page: Vec<Card>,
    is_done: bool,
    continue_cursor: String,
}

#[value]
struct Comment {
    author: String,
    body: String,
}

#[value]
struct Details {
    author: Person,
    assignee: Option<Person>,
    comments: Vec<Comment>,
}

#[value]
struct Busy {
    name: String,
    open: f64,
}

/// A team with Ada in it, and what a test does with its board.
struct Board {
    db: Database,
    team: Id,
    ada: Id,
}

impl Board {
    fn new() -> Self {
        let db = Database::new();
        let joined: Joined = db.mutation("teams:join", fields! { team: "Engines", name: "Ada" }).unwrap();
        Self { db, team: joined.team, ada: joined.member }
    }

    fn join(&self, team: &str, name: &str) -> Joined {
        self.db.mutation("teams:join", fields! { team: team, name: name }).unwrap()
    }

    fn try_add(&self, title: &str, status: &str) -> Outcome<Id> {
        let task = fields! { team: self.team, status: status, title: title, author: self.ada };
        self.db.mutation("tasks:add", task)
    }

    fn add(&self, title: &str) -> Id {
        self.try_add(title, "todo").unwrap()
    }

    fn move_to(&self, task: &Id, status: &str, after: Option<&Id>) {
        let mut args = fields! { task: task, status: status };
        if let Some(after) = after {
            args = fields! { task: task, status: status, after: after };
        }
        self.db.mutation::<()>("tasks:move", args).unwrap();
    }

    fn change(&self, path: &str, args: Fields) -> Outcome<()> {
        self.db.mutation::<Value>(path, args).map(drop)
    }

    fn page(&self, status: &str, options: &PaginationOptions) -> Page {
        let args = fields! { team: self.team, status: status, paginationOpts: options };
        self.db.query("tasks:list", args).unwrap()
    }

    fn titles(&self, status: &str) -> Vec<String> {
        let page = self.page(status, &PaginationOptions::first(100)).page;
        page.into_iter().map(|card| card.title).collect()
    }

    fn counts(&self) -> [f64; 3] {
        let counts: BTreeMap<String, f64> =
            self.db.query("tasks:counts", fields! { team: self.team }).unwrap();
        ["todo", "doing", "done"].map(|status| counts[status])
    }

    fn open(&self) -> Vec<(String, f64)> {
        let members: Vec<Busy> = self.db.query("teams:members", fields! { team: self.team }).unwrap();
        members.into_iter().map(|member| (member.name, member.open)).collect()
    }

    fn get(&self, task: &Id) -> Option<Details> {
        self.db.query("tasks:get", fields! { task: task }).unwrap()
    }
}

/// What an application error tells the client.
fn refusal<T>(outcome: Outcome<T>) -> String {
    outcome.err().and_then(|error| error.data()).expect("an application error")
}

#[test]
fn who_joins_again_is_the_same_member_of_the_same_team() {
    let board = Board::new();
    let again = board.join(" Engines ", "Ada");
    assert_eq!((&again.team, &again.member), (&board.team, &board.ada));
    assert!(board.db.last().writes.is_empty());
    let other = board.join("Looms", "Ada");
    assert!(other.team != board.team && other.member != board.ada);
}

#[test]
fn a_new_task_is_on_top_of_its_column_and_counted() {
    let board = Board::new();
    let _ = ["one", "two", "three"].map(|title| board.add(title));
    board.try_add("four", "doing").unwrap();
    assert_eq!(board.titles("todo"), ["three", "two", "one"]);
    assert_eq!(board.titles("doing"), ["four"]);
    assert_eq!(board.counts(), [3.0, 1.0, 0.0]);
}

#[test]
fn a_column_is_read_page_by_page() {
    let board = Board::new();
    (0..25).for_each(|n| drop(board.add(&n.to_string())));
    let mut options = PaginationOptions::first(10);
    let mut seen = Vec::new();
    for expected in [10, 10, 5] {
        let page = board.page("todo", &options);
        assert_eq!((page.page.len(), page.is_done), (expected, expected == 5));
        seen.extend(page.page.into_iter().map(|card| card.title));
        options = options.after(page.continue_cursor);
    }
    let newest_first: Vec<String> = (0..25).rev().map(|n| n.to_string()).collect();
    assert_eq!(seen, newest_first);
}

#[test]
fn a_task_moves_behind_another_one_or_on_top() {
    let board = Board::new();
    let [c, b, a] = ["c", "b", "a"].map(|title| board.add(title));
    board.move_to(&a, "todo", Some(&b));
    assert_eq!(board.titles("todo"), ["b", "a", "c"]);
    board.move_to(&c, "todo", None);
    assert_eq!(board.titles("todo"), ["c", "b", "a"]);
    board.move_to(&c, "todo", Some(&a));
    assert_eq!(board.titles("todo"), ["b", "a", "c"]);
    board.move_to(&b, "done", None);
    board.move_to(&a, "done", Some(&b));
    assert_eq!(board.titles("done"), ["b", "a"]);
    assert_eq!(board.counts(), [1.0, 0.0, 2.0]);
    // What it was to follow has left the column.
    board.move_to(&c, "doing", Some(&a));
    assert_eq!(board.titles("doing"), ["c"]);
}

#[test]
fn there_is_always_room_between_two_tasks() {
    let board = Board::new();
    board.add("last");
    let first = board.add("first");
    // More often than a gap can be halved.
    for n in 0..70 {
        board.move_to(&board.add(&n.to_string()), "todo", Some(&first));
    }
    let mut expected = vec!["first".to_owned()];
    expected.extend((0..70).rev().map(|n| n.to_string()));
    expected.push("last".to_owned());
    assert_eq!(board.titles("todo"), expected);
}

#[test]
fn a_task_knows_whom_it_is_assigned_to_and_what_was_said_about_it() {
    let board = Board::new();
    let bob = board.join("Engines", "Bob").member;
    let task = board.add("Write the notes");
    board.change("tasks:assign", fields! { task: task, assignee: bob }).unwrap();
    for (author, body) in [(&board.ada, "By Friday?"), (&bob, "By Friday.")] {
        board.change("comments:add", fields! { task: task, author: author, body: body }).unwrap();
    }

    let found = board.get(&task).unwrap();
    assert_eq!(found.author.name, "Ada");
    assert_eq!(found.assignee.map(|bob| (bob.id, bob.name)), Some((bob.clone(), "Bob".to_owned())));
    let comments: Vec<String> = found.comments.iter().map(|c| format!("{}: {}", c.author, c.body)).collect();
    assert_eq!(comments, ["Ada: By Friday?", "Bob: By Friday."]);
    let card = board.page("todo", &PaginationOptions::first(1)).page.remove(0);
    assert_eq!((&card.id, card.comments), (&task, 2.0));
    assert_eq!(card.assignee.map(|bob| bob.name).as_deref(), Some("Bob"));

    let (ada, bob) = ("Ada".to_owned(), "Bob".to_owned());
    assert_eq!(board.open(), [(ada.clone(), 0.0), (bob.clone(), 1.0)]);
    board.move_to(&task, "done", None);
    assert_eq!(board.open(), [(ada, 0.0), (bob, 0.0)]);
    board.change("tasks:assign", fields! { task: task }).unwrap();
    assert!(board.get(&task).unwrap().assignee.is_none());
}

#[test]
fn a_removed_task_takes_its_comments_along() {
    let board = Board::new();
    let task = board.add("Forget it");
    board.change("comments:add", fields! { task: task, author: board.ada, body: "Why?" }).unwrap();
    board.change("tasks:remove", fields! { task: task }).unwrap();
    let mut written: Vec<String> = board.db.last().writes.iter().map(|write| write.table.clone()).collect();
    written.sort();
    assert_eq!(written, ["comments", "tasks"]);
    assert!(board.get(&task).is_none());
    assert_eq!(board.counts(), [0.0; 3]);
    board.change("tasks:remove", fields! { task: task }).unwrap();
    let renamed = board.change("tasks:rename", fields! { task: task, title: "x" });
    assert_eq!(refusal(renamed), "This task is gone.");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let board = Board::new();
    let task = board.add("Fix the roof");
    let renamed = board.change("tasks:rename", fields! { task: task, title: "  " });
    assert_eq!(refusal(renamed), "A title must not be empty.");
    let added = board.try_add(&"x".repeat(201), "todo");
    assert_eq!(refusal(added), "A title is longer than 200 characters.");
    let stranger = board.join("Looms", "Jacquard").member;
    let assigned = board.change("tasks:assign", fields! { task: task, assignee: stranger });
    assert_eq!(refusal(assigned), "That is nobody of this team.");
    let comment = fields! { task: task, author: stranger, body: "Hello" };
    assert_eq!(refusal(board.change("comments:add", comment)), "That is nobody of this team.");
    assert_eq!(board.try_add("x", "lost").unwrap_err().code(), "ArgumentValidationError");
}
