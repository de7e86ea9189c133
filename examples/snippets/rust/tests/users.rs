use notes as _;
use weir::{Id, Value, fields};
use weir_test::{Database, TokenError};

#[test]
fn each_user_has_notes_and_a_badge() {
    let db = Database::new();
    let note = fields! { author: "ada", text: "hi" };
    db.mutation::<Id>("notes:write", note).unwrap();
    let (ada, bob) = (db.as_user(fields! { subject: "ada" }), db.as_user(fields! { subject: "bob" }));
    assert_eq!(ada.query::<Vec<Value>>("notes:mine", fields! {}).unwrap().len(), 1);
    assert_eq!(bob.query::<Vec<Value>>("notes:mine", fields! {}).unwrap().len(), 0);
    assert_eq!(db.query::<Vec<Value>>("notes:mine", fields! {}).unwrap().len(), 0);

    let token: String = bob.mutation("notes:badge", fields! { room: "red" }).unwrap();
    let claims: Value = db.verify_token(&token).unwrap();
    let claim = |name| claims.get(name).and_then(Value::as_str);
    assert_eq!((claim("sub"), claim("room")), (Some("bob"), Some("red")));
    let error = db.mutation::<String>("notes:badge", fields! { room: "red" }).unwrap_err();
    assert!(error.message().contains("sign in first"), "{error}");
    db.advance(std::time::Duration::from_secs(300));
    assert!(matches!(db.verify_token::<Value>(&token), Err(TokenError::Expired { .. })));
}
