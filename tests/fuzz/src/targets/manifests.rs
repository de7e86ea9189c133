//! Manifests: what a component says of its functions, its schema, routes and cron jobs.

use weir_runtime::{ManifestError, check_manifest};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "manifests",
    run,
    dictionary: &[
        "{\"functions\":[",
        "\"path\":\"",
        "\"kind\":\"",
        "query",
        "mutation",
        "action",
        "httpAction",
        "\"visibility\":\"",
        "public",
        "internal",
        "\"args\":",
        "\"returns\":",
        "{\"type\":\"any\"}",
        "{\"type\":\"object\",\"value\":{}}",
        "\"schema\":{\"tables\":[",
        "\"tableName\":\"",
        "\"indexes\":[",
        "\"indexDescriptor\":",
        "\"fields\":",
        "\"routes\":[",
        "\"method\":\"GET\"",
        "\"pathPrefix\":\"/",
        "HEAD",
        "\"function\":\"",
        "\"crons\":[",
        "\"name\":",
        "\"schedule\":{\"type\":\"",
        "interval",
        "hourly",
        "daily",
        "weekly",
        "monthly",
        "cron",
        "\"seconds\":",
        "\"minutes\":",
        "\"hours\":",
        "\"minuteUTC\":",
        "\"hourUTC\":",
        "\"dayOfWeek\":",
        "monday",
        "\"day\":",
        "\"cron\":\"* * * * *\"",
        "*/5",
        "1-5",
        "0,30",
        "JAN",
        "\"args\":[{}]",
        "\"auth\":",
        "\"authFile\":",
        "\"authError\":",
        "m:f",
        "\\u0000",
    ],
    bytes_max: 24 * 1024,
    rounds: 20_000,
    is_in_process: true,
};

fn run(input: &[u8]) {
    match check_manifest(input) {
        Ok(manifest) => {
            let again = check_manifest(manifest.to_string().as_bytes());
            let again = again.unwrap_or_else(|error| panic!("{error}: {manifest}"));
            assert_eq!(again, manifest, "what the host says of a manifest is the manifest again");
        }
        Err(ManifestError::Shape(error)) => assert!(error.line() > 0 || input.is_empty() || error.is_data()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
