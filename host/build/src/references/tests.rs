//! What is written for components with all validators, and with names that no language likes.

use serde_json::{Value as Json, json};

use super::*;
use crate::manifest::Function;

fn function(path: &str, kind: &str, args: Json, returns: Json) -> Function {
    let or_none = |validator: Json| Some(validator).filter(|validator| !validator.is_null());
    let [path, kind, visibility] = [path, kind, "public"].map(str::to_owned);
    Function { path, kind, visibility, args: or_none(args), returns: or_none(returns) }
}

fn object(fields: &[(&str, Json, bool)]) -> Json {
    let field = |(name, type_, optional): &(&str, Json, bool)| {
        ((*name).to_owned(), json!({ "fieldType": type_, "optional": optional }))
    };
    json!({ "type": "object", "value": fields.iter().map(field).collect::<serde_json::Map<_, _>>() })
}

fn named(name: &str) -> Json {
    json!({ "type": name })
}

fn literal(value: impl Into<Json>) -> Json {
    json!({ "type": "literal", "value": value.into() })
}

fn union(members: &[Json]) -> Json {
    json!({ "type": "union", "value": members })
}

fn mount(name: &str, functions: &[Function]) -> Mount {
    Mount { name: name.to_owned(), functions: Some(functions.to_vec()) }
}

/// A function with an argument of each validator.
fn with_all() -> Function {
    let inner =
        object(&[("x", named("number"), false), ("y", union(&[named("boolean"), named("null")]), false)]);
    let array = json!({ "type": "array", "value": inner });
    let record =
        json!({ "type": "record", "keys": named("string"), "values": { "fieldType": named("bigint") } });
    let args = object(&[
        ("_id", json!({ "type": "id", "tableName": "things" }), false),
        ("data", named("bytes"), false),
        ("flag", named("boolean"), true),
        ("maybeNull", union(&[named("number"), named("null")]), true),
        ("mixed", union(&[named("number"), named("string")]), false),
        ("mode", union(&[literal("fast"), literal("very slow")]), false),
        ("orNull", union(&[named("string"), named("null")]), false),
        ("record", record, false),
        ("rows", array, false),
        ("type", named("any"), true),
    ]);
    function("lib:all", "mutation", args, named("null"))
}

/// The file of references in a language.
fn text(language: Language, mounts: &[Mount]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let module = Module::new("app", language, folder.path());
    for inner in ["src", "assembly"] {
        std::fs::create_dir_all(folder.path().join(inner)).unwrap();
    }
    let changed = write(&module, mounts).unwrap();
    assert!(write(&module, mounts).unwrap().is_empty(), "what is right is left alone");
    let is_file = |path: &&PathBuf| path.file_stem().is_some_and(|name| name == "components");
    std::fs::read_to_string(changed.iter().find(is_file).unwrap()).unwrap()
}

/// Checks the text behind the header.
fn assert_text(language: Language, mounts: &[Mount], begin: &str, expected: &str) {
    let found = text(language, mounts);
    let at = found.find(begin).unwrap_or_else(|| panic!("there is no {begin:?} in\n{found}"));
    assert_eq!(found[at..].trim_end(), expected.trim(), "\n{found}");
}

#[test]
fn all_validators_are_types_of_rust() {
    let expected = r#"
/// The functions of what is mounted as `kit`.
pub mod kit {
    pub mod lib {
        /// The mutation `lib:all`: `ALL.run(ctx, args)`.
        pub const ALL: ::weir::MutationReference<AllArgs, ()> = ::weir::MutationReference::new("_reference/childComponent/kit/lib/all");
        #[::weir::value]
        #[derive(Debug, Clone, PartialEq)]
        pub struct AllArgs {
            #[serde(rename = "_id")]
            pub id: String,
            pub data: ::weir::Bytes,
            pub flag: Option<bool>,
            #[serde(rename = "maybeNull")]
            #[serde(default, skip_serializing_if = "Option::is_none", with = "::weir::nullable::optional")]
            pub maybe_null: Option<Option<f64>>,
            pub mixed: ::weir::Value,
            pub mode: AllArgsMode,
            #[serde(rename = "orNull")]
            #[serde(with = "::weir::nullable")]
            pub or_null: Option<String>,
            pub record: ::std::collections::BTreeMap<String, i64>,
            pub rows: Vec<AllArgsRowsItem>,
            #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "::weir::nullable::optional::deserialize")]
            pub r#type: Option<::weir::Value>,
        }
        #[::weir::value]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AllArgsMode {
            #[serde(rename = "fast")]
            Fast,
            #[serde(rename = "very slow")]
            VerySlow,
        }
        #[::weir::value]
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct AllArgsRowsItem {
            pub x: f64,
            #[serde(with = "::weir::nullable")]
            pub y: Option<bool>,
        }
    }
}"#;
    assert_text(Language::Rust, &[mount("kit", &[with_all()])], "/// The functions", expected);
}

#[test]
fn all_validators_are_types_of_go() {
    let expected = r#"
import "weir.dev/go"

// Kit has the functions of what is mounted as `kit`.
var Kit = kitMount{
	Lib: kitLibModule{
		All: "_reference/childComponent/kit/lib/all",
	},
}

type kitMount struct {
	Lib kitLibModule
}

type kitLibModule struct {
	// All is the mutation lib:all.
	All weir.MutationReference[KitLibAllArgs, weir.Null]
}

type KitLibAllArgs struct {
	ID        string                                `json:"_id"`
	Data      []byte                                `json:"data"`
	Flag      weir.Optional[bool]                   `json:"flag"`
	MaybeNull weir.Optional[weir.Nullable[float64]] `json:"maybeNull"`
	Mixed     weir.Value                            `json:"mixed"`
	Mode      KitLibAllArgsMode                     `json:"mode"`
	OrNull    weir.Nullable[string]                 `json:"orNull"`
	Record    map[string]int64                      `json:"record"`
	Rows      []KitLibAllArgsRowsItem               `json:"rows"`
	Type      weir.Optional[weir.Value]             `json:"type"`
}

type KitLibAllArgsMode string

const (
	KitLibAllArgsModeFast     KitLibAllArgsMode = "fast"
	KitLibAllArgsModeVerySlow KitLibAllArgsMode = "very slow"
)

// Literals gives all texts of the type.
func (KitLibAllArgsMode) Literals() []string { return []string{"fast", "very slow"} }

type KitLibAllArgsRowsItem struct {
	X float64             `json:"x"`
	Y weir.Nullable[bool] `json:"y"`
}"#;
    assert_text(Language::Go, &[mount("kit", &[with_all()])], "import", expected);
}

#[test]
fn all_validators_are_types_of_assemblyscript() {
    let expected = r#"
import { Box, MutationReference, Value } from "@weir/assemblyscript";

export class KitLibAllArgs {
  @key("_id") id: string;
  data: Uint8Array;
  flag: Box<bool> | null;
  maybeNull: Value | null;
  mixed: Value;
  mode: string;
  @orNull orNull: string | null;
  record: Map<string, i64>;
  rows: Array<KitLibAllArgsRowsItem>;
  type: Value | null;
}

export namespace KitLibAllArgsMode {
  export const Fast: string = "fast";
  export const VerySlow: string = "very slow";
}

export class KitLibAllArgsRowsItem {
  x: f64;
  @orNull y: Box<bool> | null;
}

/** The functions of what is mounted as `kit`. */
export namespace kit {
  export namespace lib {
    /** The mutation `lib:all`. */
    export const all = new MutationReference<KitLibAllArgs, Value>("_reference/childComponent/kit/lib/all");
  }
}"#;
    assert_text(Language::AssemblyScript, &[mount("kit", &[with_all()])], "import", expected);
}

/// Functions whose names are words of the languages, no names at all, or equal in a language's own manner.
fn tricky() -> Vec<Mount> {
    let fields = object(&[
        ("first-name", named("string"), false),
        ("firstName", named("string"), false),
        ("self", named("string"), false),
        ("class", named("string"), false),
        ("2nd", named("string"), false),
        ("!", named("string"), false),
    ]);
    let choice = union(&["", "-1", "a b", "aB", "Self", "é\""].map(literal));
    let functions = [
        function("a:b", "query", fields, Json::Null),
        function("a/b:delete", "query", Json::Null, choice),
        function("a/b-c.d:_", "action", object(&[]), Json::Null),
        function("type:default", "query", object(&[]), named("number")),
        function("f64:sendIt", "query", object(&[]), named("number")),
        function("f64:send_it", "mutation", object(&[]), named("number")),
    ];
    vec![mount("type", &functions), mount("Type", &[]), Mount { name: "late".to_owned(), functions: None }]
}

#[test]
fn names_that_rust_does_not_take_are_changed() {
    let found = text(Language::Rust, &tricky());
    for expected in [
        "pub mod r#type {\n}\n",
        "pub mod r#type2 {\n    pub mod a {\n        pub mod b {\n",
        "pub mod b_c_d {\n            /// The action `a/b-c.d:_`: `FUNCTION.run(ctx, args).await`.\n            pub const FUNCTION: ::weir::ActionReference<::weir::NoArgs, ::weir::Value>",
        "pub const DELETE: ::weir::QueryReference<::weir::Value, DeleteResult>",
        "pub mod f64_ {\n",
        "pub const SEND_IT: ::weir::QueryReference",
        "pub const SEND_IT2: ::weir::MutationReference",
        "            #[serde(rename = \"self\")]\n            pub self_: String,\n",
        "            pub class: String,\n            #[serde(rename = \"first-name\")]\n            pub first_name: String,\n            #[serde(rename = \"firstName\")]\n            pub first_name2: String,\n",
        "            #[serde(rename = \"2nd\")]\n            pub f2nd: String,\n",
        "            #[serde(rename = \"!\")]\n            pub field: String,\n",
        "Self2,\n",
        "#[serde(rename = \"é\\\"\")]\n",
        "call them by their names.\npub mod late {\n}\n",
    ] {
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
}

#[test]
fn names_that_go_does_not_take_are_changed() {
    let found = text(Language::Go, &tricky());
    for expected in [
        "var Type = typeMount{}\n",
        "var Type2 = type2Mount{\n",
        "Default: \"_reference/childComponent/type/type/default\",",
        "// B2 is the query a:b.\n",
        "// Delete is the query a/b:delete.\n",
        "// Function is the action a/b-c.d:_.\n",
        "// SendIt is the query f64:sendIt.\n",
        "// SendIt2 is the mutation f64:send_it.\n",
        "`json:\"first-name\"`",
        "`json:\"2nd\"`",
        "= \"é\\\"\"\n",
        "call them by their names.\nvar Late = lateMount{}\n",
    ] {
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
}

#[test]
fn names_that_assemblyscript_does_not_take_are_changed() {
    let found = text(Language::AssemblyScript, &tricky());
    for expected in [
        "export namespace type_ {\n}\n",
        "export namespace type_2 {\n  export namespace a {\n",
        "export const delete_ = new QueryReference<Value, string>(\"_reference/childComponent/type/a/b/delete\");",
        "export namespace f64_ {\n",
        "export const sendIt2 = new MutationReference<NoArgs, f64>",
        "  @key(\"first-name\") firstName: string;\n  @key(\"firstName\") firstName2: string;\n",
        "  @key(\"class\") class_: string;\n",
        "  @key(\"2nd\") f2nd: string;\n",
        "  self: string;\n",
        "export namespace late {\n}\n",
    ] {
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
}

#[test]
fn objects_that_a_language_cannot_name_are_values() {
    let odd = |name: &str| {
        mount("m", &[function("a:b", "query", object(&[(name, named("number"), false)]), Json::Null)])
    };
    for name in ["a,b", "-", "a\"b", "a`b", "a\\b"] {
        let found = text(Language::Go, &[odd(name)]);
        assert!(found.contains("QueryReference[weir.Value, weir.Value]"), "{name}: {found}");
    }
    for name in ["a\"b", "a'b", "a\\b"] {
        let found = text(Language::AssemblyScript, &[odd(name)]);
        assert!(found.contains("QueryReference<Value, Value>"), "{name}: {found}");
    }
    let found = text(Language::Rust, &[odd("a\"b\\")]);
    assert!(found.contains("#[serde(rename = \"a\\\"b\\\\\")]"), "{found}");
    let many: Vec<_> = (0..65).map(|number| format!("f{number}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), named("number"), false)).collect();
    let found =
        text(Language::AssemblyScript, &[mount("m", &[function("a:b", "query", object(&many), Json::Null)])]);
    assert!(found.contains("QueryReference<Value, Value>"), "{found}");
}

#[test]
fn the_same_components_give_the_same_bytes_in_any_order() {
    let mut mounts = tricky();
    let forth =
        Language::ALL.map(|language| (language != Language::TypeScript).then(|| text(language, &mounts)));
    mounts.reverse();
    mounts.iter_mut().filter_map(|mount| mount.functions.as_mut()).for_each(|functions| functions.reverse());
    let back =
        Language::ALL.map(|language| (language != Language::TypeScript).then(|| text(language, &mounts)));
    assert_eq!(forth, back);
}

#[test]
fn what_mounts_nothing_has_no_file_unless_it_had_one() {
    for (language, folder) in [
        (Language::Rust, "src/_generated"),
        (Language::Go, "_generated"),
        (Language::AssemblyScript, "assembly/_generated"),
    ] {
        let project = tempfile::tempdir().unwrap();
        let module = Module::new("app", language, project.path());
        assert!(
            write(&module, &tricky()).unwrap().is_empty() || language == Language::Go,
            "no sources, no files"
        );
        std::fs::create_dir_all(project.path().join(folder).parent().unwrap()).unwrap();
        if language != Language::Go {
            assert!(write(&module, &[]).unwrap().is_empty());
            assert!(!project.path().join(folder).exists());
        }
        write(&module, &tricky()).unwrap();
        let changed = write(&module, &[]).unwrap();
        let [file] = changed.as_slice() else { panic!("{changed:?}") };
        let text = std::fs::read_to_string(file).unwrap();
        assert!(!text.contains("Reference"), "{text}");
    }
    let module = Module::new("app", Language::TypeScript, std::env::temp_dir());
    assert!(write(&module, &tricky()).unwrap().is_empty(), "one in TypeScript has them in its `api`");
}
