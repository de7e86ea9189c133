//! The cron jobs of a manifest: which functions are called at which times.
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use weir_db::{Cron, FunctionKind};
use weir_value::FunctionPath;
use weir_value::limits::CRONS_MAX;

use crate::ManifestError;

/// A cron job as it stands in a manifest.
#[derive(Debug, Deserialize)]
pub(crate) struct CronJson {
    name: String,
    schedule: Json,
    function: String,
    args: Box<RawValue>,
}

/// Reads the cron jobs of a module. Whether there are such functions is known when all modules are: see [`check`].
pub(crate) fn parse(crons: &[CronJson]) -> Result<Vec<Cron>, ManifestError> {
    if crons.len() > CRONS_MAX {
        return Err(ManifestError::TooManyCrons { count: crons.len() });
    }
    let mut parsed: Vec<Cron> = Vec::with_capacity(crons.len());
    for json in crons {
        let refused = |reason: String| ManifestError::Cron { name: json.name.clone(), reason };
        let cron = parse_cron(json).map_err(refused)?;
        if parsed.iter().any(|other| other.name() == cron.name()) {
            return Err(refused("there are two of this name".to_owned()));
        }
        parsed.push(cron);
    }
    Ok(parsed)
}

/// Whether a cron job calls a function that can be called so; `kind_of` says what a path is, if anything.
pub(crate) fn check(
    cron: &Cron,
    kind_of: impl Fn(&FunctionPath) -> Option<FunctionKind>,
) -> Result<(), ManifestError> {
    let function = cron.function();
    let reason = match kind_of(function) {
        Some(FunctionKind::Mutation | FunctionKind::Action) => return Ok(()),
        Some(kind) => {
            format!("`{function}` is of the kind `{}`, not `mutation` or `action`", kind.as_str())
        }
        None => format!("there is no function `{function}` in the deployment"),
    };
    Err(ManifestError::Cron { name: cron.name().to_owned(), reason })
}

fn parse_cron(json: &CronJson) -> Result<Cron, String> {
    let function = FunctionPath::parse(&json.function).map_err(|error| error.to_string())?;
    let [args] = serde_json::from_str::<[&RawValue; 1]>(json.args.get())
        .map_err(|_| "its `args` must be a list of one object".to_owned())?;
    Cron::new(&json.name, &json.schedule, function, args.get().as_bytes())
}

/// A cron job as it stands in a manifest.
pub(crate) fn to_json(cron: &Cron) -> Json {
    let args: Json = serde_json::from_slice(cron.args()).unwrap_or_default();
    json!({
        "name": cron.name(),
        "schedule": cron.schedule().to_json(),
        "function": cron.function().to_string(),
        "args": [args],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::manifest;

    fn read(crons: &Json) -> Result<Vec<Cron>, String> {
        let text = json!({ "functions": [], "crons": crons }).to_string();
        manifest::parse(text.as_bytes(), &[])
            .map(|manifest| manifest.crons)
            .map_err(|error| error.to_string())
    }

    fn clear() -> Json {
        json!({ "name": "clear", "schedule": { "type": "hourly", "minuteUTC": 5 }, "function": "chat:clear",
            "args": [{ "b": 1, "a": "x" }] })
    }

    fn changed(field: &str, value: Json) -> Json {
        let mut cron = clear();
        cron[field] = value;
        cron
    }

    #[test]
    fn cron_jobs_are_read_and_go_to_json_and_back() {
        let send = json!({ "name": "send", "schedule": { "type": "interval", "minutes": 2 }, "function": "chat:send",
            "args": [{}], "later": true });
        let crons = read(&json!([clear(), send])).unwrap();
        let json: Vec<_> = crons.iter().map(to_json).collect();
        assert_eq!(json[0], clear());
        assert_eq!(json[1]["schedule"], json!({ "type": "interval", "seconds": 120 }));
        assert_eq!(read(&json!(json)).unwrap(), crons);
        assert_eq!(read(&json!([])), Ok(Vec::new()));
    }

    #[test]
    fn what_a_cron_job_calls_is_a_mutation_or_an_action_of_the_deployment() {
        let kinds = [("chat:clear", FunctionKind::Mutation), ("chat:send", FunctionKind::Action)];
        let others = [("chat:list", FunctionKind::Query), ("http:hook", FunctionKind::HttpAction)];
        let check = |function: &str| {
            let crons = read(&json!([changed("function", json!(function))])).unwrap();
            let kind_of = |path: &FunctionPath| {
                let found = kinds.iter().chain(&others).find(|(known, _)| *known == path.to_string());
                found.map(|(_, kind)| *kind)
            };
            check(&crons[0], kind_of).map_err(|error| error.to_string())
        };
        for (function, _) in kinds {
            assert_eq!(check(function), Ok(()));
        }
        let refused = |function| check(function).unwrap_err();
        assert!(refused("chat:list").contains("`chat:list` is of the kind `query`, not `mutation`"));
        assert!(refused("http:hook").contains("is of the kind `httpAction`, not `mutation`"));
        assert!(refused("chat:gone").contains("`clear`: there is no function `chat:gone` in the deployment"));
    }

    #[test]
    fn a_cron_job_that_cannot_be_is_refused_with_what_is_wrong() {
        let schedule = |schedule: Json| changed("schedule", schedule);
        let cron = |expression: &str| schedule(json!({ "type": "cron", "cron": expression }));
        let two = json!([clear(), clear()]);
        let many: Vec<_> = (0..=CRONS_MAX).map(|n| changed("name", json!(n.to_string()))).collect();
        let cases = [
            (two, "the cron job `clear`: there are two of this name"),
            (json!(many), "1001 cron jobs; at most 1000 are allowed"),
            (json!([changed("name", json!(""))]), "its name must have 1 to 200 characters"),
            (json!([changed("name", json!("x".repeat(201)))]), "its name must have 1 to 200 characters"),
            (json!([changed("name", json!("ü"))]), "its name must have 1 to 200 characters"),
            (json!([changed("name", json!("a\nb"))]), "its name must have 1 to 200 characters"),
            (json!([changed("name", json!(7))]), "describe"),
            (json!([changed("function", json!("no path"))]), "is not the path of a function"),
            (json!([changed("args", json!([]))]), "its `args` must be a list of one object"),
            (json!([changed("args", json!({}))]), "its `args` must be a list of one object"),
            (json!([changed("args", json!([1]))]), "are not an object"),
            (json!([changed("args", json!([{ "$x": 1 }]))]), "cannot be read"),
            (json!([schedule(json!({}))]), "the cron job `clear`: the `type` of its schedule must be one of"),
            (
                json!([schedule(json!({ "type": "interval", "seconds": 0 }))]),
                "`seconds` must be a whole number from 1",
            ),
            (json!([schedule(json!({ "type": "interval", "seconds": 0.5 }))]), "not 0.5"),
            (json!([schedule(json!({ "type": "daily", "hourUTC": 24 }))]), "not 24"),
            (json!([schedule(json!({ "type": "monthly", "day": 32, "hourUTC": 1 }))]), "not 32"),
            (json!([cron("* * * *")]), "it has 4 fields instead of five"),
            (json!([cron("0 0 30 2 *")]), "there is no such day, in any year"),
        ];
        for (crons, expected) in cases {
            let error = read(&crons).unwrap_err();
            assert!(error.contains(expected), "{crons:.200}: {error}");
        }
    }
}
