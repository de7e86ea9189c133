//! Typed references: an app in each language calls a component with all validators through what the build has written, and
//! gives back what came.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};
use weir_build::Language;
use weir_conformance::{Guest, folder, runtime};
use weir_db::FunctionKind;
use weir_testing::{NOW_MS_DEFAULT, TestDatabase};

/// A component with a function of all validators, and with names that languages have for themselves.
const KIT: [(&str, &str); 4] = [
    (
        "kit/convex.config.ts",
        "import { defineComponent } from \"convex/server\";\nexport default defineComponent(\"kit\");\n",
    ),
    (
        "kit/schema.ts",
        "import { defineSchema, defineTable } from \"convex/server\";\nimport { v } from \"convex/values\";\n\
         export default defineSchema({ things: defineTable({ n: v.number() }) });\n",
    ),
    (
        "kit/values.ts",
        r#"import { v } from "convex/values";
import { action, mutation, query } from "./_generated/server";

const all = {
  any: v.any(),
  big: v.int64(),
  data: v.bytes(),
  "first-name": v.string(),
  flag: v.boolean(),
  id: v.id("things"),
  inner: v.object({ class: v.optional(v.number()), of: v.optional(v.number()), type: v.literal("once") }),
  list: v.array(v.int64()),
  maybe: v.optional(v.string()),
  maybeNull: v.optional(v.union(v.number(), v.null())),
  mixed: v.union(v.string(), v.number()),
  mode: v.union(v.literal("fast"), v.literal("very slow")),
  none: v.null(),
  nullable: v.union(v.string(), v.null()),
  nullableNumber: v.union(v.number(), v.null()),
  record: v.record(v.string(), v.number()),
  rows: v.array(v.object({ _id: v.string(), on: v.union(v.boolean(), v.null()) })),
};

export const make = mutation({
  args: {},
  returns: v.id("things"),
  handler: (ctx) => ctx.db.insert("things", { n: 1 }),
});

export const echo = mutation({ args: all, returns: v.object(all), handler: (_, args) => args });

export const count = query({
  args: {},
  returns: v.number(),
  handler: async (ctx) => (await ctx.db.query("things").collect()).length,
});

export const nothing = mutation({ args: {}, returns: v.null(), handler: () => null });

export const untyped = query((_, args) => ({ given: args }));

export const double = action({ args: { n: v.number() }, returns: v.number(), handler: async (_, { n }) => 2 * n });
"#,
    ),
    (
        "kit/type/b-c.ts",
        r#"import { v } from "convex/values";
import { query } from "../_generated/server";

const delete_ = query({ args: { new: v.string() }, returns: v.string(), handler: (_, args) => args.new });
export { delete_ as delete };
"#,
    ),
];

/// What the app gives back of `values:echo`: with a value for all that may be missing, or with nothing for it.
fn expected(is_full: bool, id: &str) -> Json {
    let mut value = json!({
        "any": [1, null, "a"],
        "big": { "$integer": "/////////38=" },
        "data": { "$bytes": "AP8=" },
        "first-name": "Ada",
        "flag": true,
        "id": id,
        "inner": { "type": "once" },
        "list": [{ "$integer": "AQAAAAAAAAA=" }],
        "mixed": 1.5,
        "mode": "very slow",
        "none": null,
        "nullable": null,
        "nullableNumber": null,
        "record": { "a": 1, "b c": 2.5 },
        "rows": [{ "_id": "x", "on": null }, { "_id": "y", "on": false }],
    });
    if is_full {
        value["inner"]["class"] = json!(3);
        value["maybe"] = json!("m");
        value["maybeNull"] = json!(null);
        value["nullable"] = json!("n");
        value["nullableNumber"] = json!(4);
    }
    value
}

/// Numbers that are whole are written in two ways, which are one number.
fn plain(value: &Json) -> Json {
    match value {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), plain(field)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn project(language: Language, files: &[(&str, &str)]) -> Result<tempfile::TempDir> {
    let project = tempfile::tempdir()?;
    for (name, text) in KIT.iter().chain(files) {
        let path = project.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        std::fs::write(path, text.replace("REPOSITORY", &folder("..").to_string_lossy()))?;
    }
    // Two mounts, of which one has the name of a word that no language gives away.
    let config = format!(
        "[modules.app]\nlanguage = \"{}\"\n[components.kit]\nlanguage = \"typescript\"\npath = \"kit\"\n\
         [components.type]\nlanguage = \"typescript\"\npath = \"kit\"\n",
        language.name()
    );
    std::fs::write(project.path().join("host.toml"), config)?;
    std::os::unix::fs::symlink(folder("../node_modules"), project.path().join("node_modules"))?;
    Ok(project)
}

fn call(db: &mut TestDatabase, kind: FunctionKind, path: &str, args: &Json) -> Result<Json> {
    let outcome = db.call(kind, path, serde_json::to_vec(args)?.into())?;
    let result = outcome.result.map_err(|error| anyhow::anyhow!("{path}: {error:?}"))?;
    Ok(serde_json::from_slice(&result)?)
}

/// Builds an app and calls it. `wrong` is a file of it, with a mutation in a query, which must not compile.
fn check(language: Language, files: &[(&str, &str)], wrong: (&str, &str)) -> Result<()> {
    let project = project(language, files)?;
    let runtime = runtime()?;
    let deployment = Guest::build(runtime.clone(), project.path(), language)?.deployment;
    let mut db = TestDatabase::new(deployment.clone(), deployment.schema(), NOW_MS_DEFAULT, 1)?;
    for is_full in [true, false] {
        let found = call(&mut db, FunctionKind::Mutation, "app:roundTrip", &json!({ "full": is_full }))?;
        let id = found["id"].as_str().context("it has an id")?;
        let mut expected = expected(is_full, id);
        if language == Language::AssemblyScript {
            // A null that is read where a field may be missing is a field that is missing.
            expected.as_object_mut().context("it is an object")?.remove("maybeNull");
        }
        assert_eq!(plain(&found), plain(&expected), "{}", language.name());
    }
    let found = call(&mut db, FunctionKind::Query, "app:look", &json!({}))?;
    assert_eq!(plain(&found), plain(&json!(["2", "0", "gone"])), "each mount has things of its own");
    let found = call(&mut db, FunctionKind::Action, "app:act", &json!({}))?;
    assert_eq!(plain(&found), plain(&json!(44)));

    std::fs::write(project.path().join(wrong.0), wrong.1)?;
    let refused = Guest::build(runtime, project.path(), language).map(drop);
    let refused = format!("{:#}", refused.expect_err("a query calls a mutation"));
    assert!(refused.contains("mutation") || refused.contains("Mutation"), "{refused}");
    Ok(())
}

#[test]
fn rust() -> Result<()> {
    let manifest = "[package]\nname = \"app\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\n\
         weir = { path = \"REPOSITORY/guest-sdk/rust\" }\n[workspace]\n";
    let source = r#"mod _generated;

use std::collections::BTreeMap;

use _generated::components::kit::values::{self, EchoArgs, EchoArgsInner, EchoArgsInnerType, EchoArgsMode, EchoArgsRowsItem};
use _generated::components::{kit, r#type};
use weir::prelude::*;

#[mutation]
fn round_trip(ctx: &MutationCtx, full: bool) -> Result<values::EchoResult> {
    values::NOTHING.run(ctx, NoArgs)?;
    let id = values::MAKE.run(ctx, NoArgs)?;
    let row = |id: &str, on| EchoArgsRowsItem { id: id.to_owned(), on };
    let args = EchoArgs {
        any: Value::Array(vec![1.into(), Value::Null, "a".into()]),
        big: i64::MAX,
        data: Bytes(vec![0, 255]),
        first_name: "Ada".to_owned(),
        flag: true,
        id,
        inner: EchoArgsInner { class: full.then_some(3.0), of: None, r#type: EchoArgsInnerType::Once },
        list: vec![1],
        maybe: full.then(|| "m".to_owned()),
        maybe_null: full.then_some(None),
        mixed: 1.5.into(),
        mode: EchoArgsMode::VerySlow,
        none: (),
        nullable: full.then(|| "n".to_owned()),
        nullable_number: full.then_some(4.0),
        record: BTreeMap::from([("a".to_owned(), 1.0), ("b c".to_owned(), 2.5)]),
        rows: vec![row("x", None), row("y", Some(false))],
    };
    values::ECHO.run(ctx, args)
}

#[query]
fn look(ctx: &QueryCtx) -> Result<Vec<String>> {
    let counts = [values::COUNT.run(ctx, NoArgs)?, r#type::values::COUNT.run(ctx, NoArgs)?];
    let untyped = values::UNTYPED.run(ctx, Value::Object(BTreeMap::from([("a".to_owned(), 1.into())])))?;
    ensure!(untyped.get("given").and_then(|given| given.get("a")).and_then(Value::as_f64) == Some(1.0), "{untyped:?}");
    let args = kit::r#type::b_c::DeleteArgs { new: "gone".to_owned() };
    let gone = kit::r#type::b_c::DELETE.run(ctx, args)?;
    Ok(counts.iter().map(f64::to_string).chain([gone]).collect())
}

#[action]
async fn act(ctx: &ActionCtx) -> Result<f64> {
    values::MAKE.run(ctx, NoArgs).await?;
    let things = values::COUNT.run(ctx, NoArgs).await?;
    values::NOTHING.schedule_after(&ctx.scheduler, std::time::Duration::ZERO, NoArgs)?;
    Ok(values::DOUBLE.run(ctx, values::DoubleArgs { n: 22.0 + things - 3.0 }).await?)
}
"#;
    let wrong = "mod _generated;\nuse weir::prelude::*;\n#[query]\nfn bad(ctx: &QueryCtx) -> Result<()> {\n\
         _generated::components::kit::values::NOTHING.run(ctx, NoArgs)\n}\n";
    check(Language::Rust, &[("Cargo.toml", manifest), ("src/lib.rs", source)], ("src/lib.rs", wrong))
}

/// An app in Go that calls a component by what was made of its manifest.
const GO_SOURCE: &str = r#"package main

import (
	"fmt"
	"math"

	"app/_generated/components"

	"weir.dev/go"
)

var values = components.Kit.Values

func init() {
	weir.Mutation("app:roundTrip", roundTrip)
	weir.Query("app:look", look)
	weir.Action("app:act", act)
}

type roundTripArgs struct {
	Full bool `json:"full"`
}

func roundTrip(ctx *weir.MutationCtx, given roundTripArgs) (components.KitValuesEchoResult, error) {
	if _, err := values.Nothing.Run(ctx, weir.NoArgs{}); err != nil {
		return components.KitValuesEchoResult{}, err
	}
	id, err := values.Make.Run(ctx, weir.NoArgs{})
	if err != nil {
		return components.KitValuesEchoResult{}, err
	}
	args := components.KitValuesEchoArgs{
		Any: []any{1.0, nil, "a"}, Big: math.MaxInt64, Data: []byte{0, 255}, FirstName: "Ada", Flag: true, ID: id,
		Inner: components.KitValuesEchoArgsInner{Type: components.KitValuesEchoArgsInnerTypeOnce},
		List:  []int64{1}, Mixed: 1.5, Mode: components.KitValuesEchoArgsModeVerySlow,
		Record: map[string]float64{"a": 1, "b c": 2.5},
		Rows:   []components.KitValuesEchoArgsRowsItem{{ID: "x"}, {ID: "y", On: weir.NotNull(false)}},
	}
	if given.Full {
		args.Inner.Class = weir.Some(3.0)
		args.Maybe = weir.Some("m")
		args.MaybeNull = weir.Some(weir.Nullable[float64]{})
		args.Nullable = weir.NotNull("n")
		args.NullableNumber = weir.NotNull(4.0)
	}
	return values.Echo.Run(ctx, args)
}

func look(ctx *weir.QueryCtx) ([]string, error) {
	of, err := values.Count.Run(ctx, weir.NoArgs{})
	if err != nil {
		return nil, err
	}
	other, err := components.Type.Values.Count.Run(ctx, weir.NoArgs{})
	if err != nil {
		return nil, err
	}
	untyped, err := values.Untyped.Run(ctx, weir.Object{"a": 1.0})
	if fmt.Sprint(untyped) != "map[given:map[a:1]]" {
		return nil, fmt.Errorf("%v, %v", untyped, err)
	}
	gone, err := components.Kit.Type.BC.Delete.Run(ctx, components.KitTypeBCDeleteArgs{New: "gone"})
	return []string{fmt.Sprint(of), fmt.Sprint(other), gone}, err
}

func act(ctx *weir.ActionCtx) (float64, error) {
	if _, err := values.Make.Run(ctx, weir.NoArgs{}); err != nil {
		return 0, err
	}
	things, err := values.Count.Run(ctx, weir.NoArgs{})
	if err != nil {
		return 0, err
	}
	if _, err := values.Nothing.ScheduleAfter(ctx.Scheduler, 0, weir.NoArgs{}); err != nil {
		return 0, err
	}
	return values.Double.Run(ctx, components.KitValuesDoubleArgs{N: 22 + things - 3})
}

func main() {}
"#;

#[test]
fn go() -> Result<()> {
    let module = "module app\n\ngo 1.24\n\nrequire weir.dev/go v0.1.0\n\nreplace weir.dev/go => REPOSITORY/guest-sdk/go\n";
    let wrong = "package main\n\nimport (\n\t\"app/_generated/components\"\n\n\t\"weir.dev/go\"\n)\n\nfunc init() {\n\
         \tweir.Query(\"app:bad\", func(ctx *weir.QueryCtx) (weir.Null, error) {\n\
         \t\treturn components.Kit.Values.Nothing.Run(ctx, weir.NoArgs{})\n\t})\n}\n\nfunc main() {}\n";
    check(Language::Go, &[("go.mod", module), ("main.go", GO_SOURCE)], ("main.go", wrong))
}

#[test]
fn assemblyscript() -> Result<()> {
    let source = r#"import { ActionCtx, Box, MutationCtx, QueryCtx, Value } from "@weir/assemblyscript";
import {
  kit,
  KitValuesEchoArgs,
  KitValuesEchoArgsInner,
  KitValuesEchoArgsMode,
  KitValuesEchoArgsRowsItem,
  KitValuesEchoResult,
  type_,
} from "./_generated/components";

@mutation
export function roundTrip(ctx: MutationCtx, full: bool): KitValuesEchoResult {
  kit.values.nothing.run(ctx, {});
  const id = kit.values.make.run(ctx, {});
  const data = new Uint8Array(2);
  data[1] = 255;
  const record = new Map<string, f64>();
  record.set("a", 1);
  record.set("b c", 2.5);
  const first: KitValuesEchoArgsRowsItem = { id: "x", on: null };
  const second: KitValuesEchoArgsRowsItem = { id: "y", on: new Box<bool>(false) };
  const inner: KitValuesEchoArgsInner = { class_: full ? new Box<f64>(3) : null, of_: null, type: "once" };
  return kit.values.echo.run(ctx, {
    any: Value.of<Value[]>([Value.of<f64>(1), new Value(), Value.of<string>("a")]),
    big: i64.MAX_VALUE,
    data,
    firstName: "Ada",
    flag: true,
    id,
    inner,
    list: [1],
    maybe: full ? "m" : null,
    maybeNull: full ? new Value() : null,
    mixed: Value.of<f64>(1.5),
    mode: KitValuesEchoArgsMode.VerySlow,
    none: new Value(),
    nullable: full ? "n" : null,
    nullableNumber: full ? new Box<f64>(4) : null,
    record,
    rows: [first, second],
  });
}

@query
export function look(ctx: QueryCtx): string[] {
  const own = kit.values.count.run(ctx, {});
  const other = type_.values.count.run(ctx, {});
  const fields = new Map<string, Value>();
  fields.set("a", Value.of<f64>(1));
  const given = kit.values.untyped.run(ctx, Value.of(fields)).get("given");
  assert(given !== null && given.get("a")!.number == 1);
  return [(<i32>own).toString(), (<i32>other).toString(), kit.type_.bC.delete_.run(ctx, { new_: "gone" })];
}

@action
export function act(ctx: ActionCtx): f64 {
  kit.values.make.run(ctx, {});
  const things = kit.values.count.start(ctx, {}).wait();
  kit.values.nothing.scheduleAfter(ctx.scheduler, 0, {});
  return kit.values.double.run(ctx, { n: 22 + things - 3 });
}
"#;
    let wrong = "import { QueryCtx } from \"@weir/assemblyscript\";\nimport { kit } from \"./_generated/components\";\n\n\
         @query\nexport function bad(ctx: QueryCtx): void {\n  kit.values.nothing.run(ctx, {});\n}\n";
    check(
        Language::AssemblyScript,
        &[("package.json", r#"{"name":"app"}"#), ("assembly/app.ts", source)],
        ("assembly/app.ts", wrong),
    )
}
