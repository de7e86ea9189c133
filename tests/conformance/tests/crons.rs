//! Cron jobs are declared in each language in its own way, and are the same to the host.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value as Json, json};
use weir_build::Language;
use weir_conformance::{Guest, folder, runtime};
use weir_db::Deployment as _;
use weir_testing::{NOW_MS_DEFAULT, ScheduledRun, TestDatabase};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The jobs that each of the projects declares, in the order of their names.
fn declared() -> Json {
    let job = |name: &str, text: Json, schedule: Json| json!({ "name": name, "schedule": schedule, "function": "jobs:note", "args": [text] });
    let said = |text: &str| json!({ "text": text, "number": -1.5, "list": [true, null] });
    json!([
        job("daily", said("daily"), json!({ "type": "daily", "hourUTC": 3, "minuteUTC": 30 })),
        job("expression", said("é 😀"), json!({ "type": "cron", "cron": "0 16 1 * *" })),
        job("hourly", said("hourly"), json!({ "type": "hourly", "minuteUTC": 5 })),
        job("interval", said("interval"), json!({ "type": "interval", "seconds": 5400 })),
        job(
            "monthly",
            said("monthly"),
            json!({ "type": "monthly", "day": 31, "hourUTC": 23, "minuteUTC": 0 })
        ),
        job(
            "weekly",
            said("weekly"),
            json!({ "type": "weekly", "dayOfWeek": "monday", "hourUTC": 0, "minuteUTC": 59 })
        ),
    ])
}

fn check(language: Language, files: &[(&str, &str)]) -> Result<()> {
    let project = tempfile::tempdir()?;
    for (name, text) in files {
        let path = project.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        std::fs::write(path, text.replace("REPOSITORY", &folder("..").to_string_lossy()))?;
    }
    let config = format!("[modules.jobs]\nlanguage = \"{}\"\n", language.name());
    std::fs::write(project.path().join("host.toml"), config)?;
    std::os::unix::fs::symlink(folder("../node_modules"), project.path().join("node_modules"))?;
    let deployment = Guest::build(runtime()?, project.path(), language)?.deployment;

    let mut crons = deployment.manifest()["crons"].as_array().cloned().unwrap_or_default();
    crons.sort_by_key(|cron| cron["name"].to_string());
    assert_eq!(json!(crons), declared());

    let db = TestDatabase::new(deployment.clone(), deployment.schema(), NOW_MS_DEFAULT, 1)?;
    let mut passed = 0;
    let mut runs_until = |seconds: u64| -> Result<Vec<ScheduledRun>> {
        let runs = db.advance(Duration::from_secs(seconds - passed))?;
        passed = seconds;
        Ok(runs)
    };
    let names = |runs: &[ScheduledRun]| -> Vec<String> {
        runs.iter().map(|run| run.cron.as_deref().unwrap_or("none").to_owned()).collect()
    };
    let first = runs_until(2 * HOUR)?;
    assert_eq!(names(&first), ["interval", "hourly", "hourly", "interval"]);
    let rest = runs_until(31 * DAY)?;
    assert!(first.iter().chain(&rest).all(|run| run.result.is_ok()), "{first:?} {rest:?}");
    let count = |name: &str| names(&rest).iter().filter(|other| *other == name).count();
    assert_eq!(
        ["daily", "expression", "hourly", "interval", "monthly", "weekly"].map(count),
        [31, 1, 31 * 24 - 2, 31 * 16 - 1, 1, 4]
    );
    let args: Json = serde_json::from_slice(&rest[rest.len() - 1].args)?;
    assert_eq!((&args["number"], &args["list"]), (&json!(-1.5), &json!([true, null])));
    assert_eq!(deployment.crons().len(), 6);
    Ok(())
}

#[test]
fn rust() -> Result<()> {
    let manifest = "[package]\nname = \"jobs\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\n\
         weir = { path = \"REPOSITORY/guest-sdk/rust\" }\n[workspace]\n";
    let source = r#"use std::time::Duration;

use weir::prelude::*;

#[mutation(internal)]
fn note(ctx: &MutationCtx, text: String, number: f64, list: Value) -> Result<()> {
    ctx.db.insert("notes", &fields! { text: text, number: number, list: list })?;
    Ok(())
}

fn said(text: &str) -> Fields {
    fields! { text: text, number: -1.5, list: vec![Value::Boolean(true), Value::Null] }
}

crons!(|crons| {
    crons.interval("interval", Duration::from_secs(90 * 60), "jobs:note", said("interval"));
    crons.hourly("hourly", Hourly { minute_utc: 5 }, "jobs:note", said("hourly"));
    crons.daily("daily", Daily { hour_utc: 3, minute_utc: 30 }, "jobs:note", said("daily"));
    let monday = Weekly { day_of_week: Weekday::Monday, hour_utc: 0, minute_utc: 59 };
    crons.weekly("weekly", monday, "jobs:note", said("weekly"));
    crons.monthly("monthly", Monthly { day: 31, hour_utc: 23, minute_utc: 0 }, "jobs:note", said("monthly"));
    crons.cron("expression", "0 16 1 * *", "jobs:note", said("é 😀"));
});
"#;
    check(Language::Rust, &[("Cargo.toml", manifest), ("src/lib.rs", source)])
}

#[test]
fn go() -> Result<()> {
    let module = "module jobs\n\ngo 1.24\n\nrequire weir.dev/go v0.1.0\n\nreplace weir.dev/go => REPOSITORY/guest-sdk/go\n";
    let source = r#"package main

import (
	"time"

	"weir.dev/go"
)

type said struct {
	Text   string       `json:"text"`
	Number float64      `json:"number"`
	List   []weir.Value `json:"list"`
}

var notes = weir.NewTable[said]("notes")

func say(text string) said {
	return said{Text: text, Number: -1.5, List: []weir.Value{true, nil}}
}

func init() {
	weir.InternalMutation("jobs:note", func(ctx *weir.MutationCtx, args said) error {
		_, err := notes.Insert(ctx, args)
		return err
	})
	weir.CronInterval("interval", 90*time.Minute, "jobs:note", say("interval"))
	weir.CronHourly("hourly", weir.Hourly{MinuteUTC: 5}, "jobs:note", say("hourly"))
	weir.CronDaily("daily", weir.Daily{HourUTC: 3, MinuteUTC: 30}, "jobs:note", say("daily"))
	monday := weir.Weekly{DayOfWeek: time.Monday, HourUTC: 0, MinuteUTC: 59}
	weir.CronWeekly("weekly", monday, "jobs:note", say("weekly"))
	weir.CronMonthly("monthly", weir.Monthly{Day: 31, HourUTC: 23, MinuteUTC: 0}, "jobs:note", say("monthly"))
	weir.Cron("expression", "0 16 1 * *", "jobs:note", say("é 😀"))
}

func main() {}
"#;
    check(Language::Go, &[("go.mod", module), ("main.go", source)])
}

#[test]
fn assemblyscript() -> Result<()> {
    let source = r#"import { crons, Fields, MutationCtx, Value } from "@weir/assemblyscript";

@internalMutation
export function note(ctx: MutationCtx, text: string, number: f64, list: Value[]): void {
  ctx.db.insert("notes", new Fields().set("text", text).set("number", number).set("list", list));
}

crons.interval("interval", { minutes: 90 }, "jobs:note", {
  text: "interval",
  number: -1.5,
  list: [true, null],
});
crons.hourly("hourly", { minuteUTC: 5 }, "jobs:note", { text: "hourly", number: -1.5, list: [true, null] });
crons.daily("daily", { hourUTC: 3, minuteUTC: 30 }, "jobs:note", { text: "daily", number: -1.5, list: [true, null] });
crons.weekly("weekly", { dayOfWeek: "monday", hourUTC: 0, minuteUTC: 59 }, "jobs:note", { text: "weekly", number: -1.5, list: [true, null] });
crons.monthly("monthly", { day: 31, hourUTC: 23, minuteUTC: 0 }, "jobs:note", { text: "monthly", number: -1.5, list: [true, null] });
crons.cron("expression", "0 16 1 * *", "jobs:note", { text: "é 😀", number: -1.5, list: [true, null] });
"#;
    check(Language::AssemblyScript, &[("package.json", r#"{"name":"jobs"}"#), ("assembly/jobs.ts", source)])
}

#[test]
fn typescript() -> Result<()> {
    let functions = r#"import { internalMutationGeneric } from "convex/server";
import { v } from "convex/values";

export const note = internalMutationGeneric({
  args: { text: v.string(), number: v.number(), list: v.array(v.any()) },
  handler: async (ctx, args) => {
    await ctx.db.insert("notes", args);
  },
});
"#;
    let crons = r#"import { cronJobs, makeFunctionReference } from "convex/server";

const note = makeFunctionReference<"mutation">("jobs:note");
const said = (text: string) => ({ text, number: -1.5, list: [true, null] });
const crons = cronJobs();

crons.interval("interval", { minutes: 90 }, note, said("interval"));
crons.hourly("hourly", { minuteUTC: 5 }, note, said("hourly"));
crons.daily("daily", { hourUTC: 3, minuteUTC: 30 }, note, said("daily"));
crons.weekly("weekly", { dayOfWeek: "monday", hourUTC: 0, minuteUTC: 59 }, note, said("weekly"));
crons.monthly("monthly", { day: 31, hourUTC: 23, minuteUTC: 0 }, note, said("monthly"));
crons.cron("expression", "0 16 1 * *", note, said("é 😀"));

export default crons;
"#;
    check(Language::TypeScript, &[("convex/jobs.ts", functions), ("convex/crons.ts", crons)])
}
