//! Who may vouch for users in a deployment: what came with it (from `host.toml`) and what its modules say (a TypeScript
//! project's `auth.config.ts`), as one list.
//!
//! Recorded is what each of them said, so that a start finds the list again, as of the modules that load from what they
//! say then: a built-in variable may be another.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use weir_auth::{DISCOVERY_PATH, OwnHost, Providers, Source};
use weir_db::{Deployment, Route};

use super::summary::Record;
use super::{DeployError, LoadedModule};

/// How the list that comes with a deployment is named in errors.
const PROJECT_FILE: &str = "host.toml";

/// What a module says of who may vouch for users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleProviders {
    /// Where it says so: for people.
    pub place: String,
    /// `{"providers": [...]}`, unchecked.
    pub config: Json,
}

/// What the host is called in a deployment. An app that publishes keys of its own by HTTP actions, as that of
/// `@convex-dev/auth` does, is the provider at `CONVEX_SITE_URL`, and not the host.
pub(super) fn host_beside(deployment: &dyn Deployment, host: &OwnHost) -> OwnHost {
    if Route::find(deployment.routes(), "GET", DISCOVERY_PATH).is_none() {
        return host.clone();
    }
    if host.has_one_address() {
        tracing::warn!(
            "the app has an HTTP action for `{DISCOVERY_PATH}`, which nobody finds at CONVEX_SITE_URL: that is where the \
             API is. `--site-listen` gives HTTP actions a port of their own, and `--site-url` says how it is reached"
        );
    }
    host.without_site()
}

/// The providers of a deployment: those that came with it, then those of its modules.
///
/// # Errors
/// What is wrong with which of them, or which two do not go together.
pub(super) fn combine<'a>(
    sent: Option<&'a Json>,
    modules: impl Iterator<Item = &'a ModuleProviders>,
    host: &OwnHost,
) -> Result<Providers, DeployError> {
    let sent = sent.map(|config| Source { name: PROJECT_FILE, config });
    let modules = modules.map(|module| Source { name: &module.place, config: &module.config });
    let sources: Vec<Source<'_>> = sent.into_iter().chain(modules).collect();
    Providers::combine(&sources, host).map_err(|error| DeployError::Providers(error.to_string()))
}

/// The providers of a recorded deployment, of which these modules were loaded.
///
/// # Errors
/// They make no sense any more.
pub(super) fn restore(
    record: &Record,
    loaded: &[LoadedModule],
    host: &OwnHost,
) -> Result<Providers, DeployError> {
    let find = |name: &str| loaded.iter().find(|module| module.mount.is_app() && module.name == name);
    let said = |recorded: &'_ super::summary::RecordedModule| match find(&recorded.module.name) {
        // A component has no users of its own.
        _ if !recorded.module.component.is_app() => Ok(None),
        Some(module) => module.providers.clone().map_err(DeployError::Providers),
        // It still belongs to the deployment: its users stay users of the other modules.
        None => Ok(recorded.providers.clone()),
    };
    let said: Result<Vec<_>, _> = record.modules.iter().map(said).collect();
    combine(record.auth.as_ref(), said?.iter().flatten(), host)
}

/// Tells the log that nobody is vouched for: a server without users serves what needs none.
pub(super) fn report_lost(error: &DeployError) {
    tracing::error!(
        "the providers of users are not those of the deployment any more, and no token is good until you deploy again, \
         with `host deploy`: {error}"
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use weir_value::{ComponentPath, ComponentTree, FunctionPath};

    use super::super::summary::{ModuleSummary, RecordedModule};
    use super::*;
    use crate::ComponentHash;

    fn host() -> OwnHost {
        OwnHost::new("http://host.test", "http://host.test")
    }

    fn config(domain: &str) -> Json {
        json!({ "providers": [{ "domain": domain, "applicationID": "app" }] })
    }

    fn said(name: &str, domain: &str) -> ModuleProviders {
        ModuleProviders { place: format!("module `{name}`"), config: config(domain) }
    }

    fn recorded(name: &str, providers: Option<ModuleProviders>) -> RecordedModule {
        let sha256 = ComponentHash::of(name.as_bytes());
        let (component, name) = (ComponentPath::APP, name.to_owned());
        let module = ModuleSummary { component, name, sha256, size_bytes: 0 };
        RecordedModule { module, functions: None, providers }
    }

    fn loaded(name: &str, providers: Result<Option<ModuleProviders>, String>) -> LoadedModule {
        LoadedModule {
            mount: ComponentPath::APP,
            name: name.to_owned(),
            functions: Vec::<FunctionPath>::new(),
            providers,
        }
    }

    #[test]
    fn lists_are_named_by_where_they_stand() {
        let (sent, module) = (config("a.example"), said("app", "a.example/x?"));
        let error = combine(Some(&sent), [&module].into_iter(), &host()).unwrap_err().to_string();
        assert!(error.starts_with("module `app`: auth provider 1"), "{error}");
        let error = combine(Some(&json!([])), std::iter::empty(), &host()).unwrap_err().to_string();
        assert!(error.starts_with("host.toml: "), "{error}");
        assert!(combine(None, std::iter::empty(), &host()).unwrap().is_empty());
    }

    #[test]
    fn a_start_asks_the_modules_that_load_and_the_record_of_the_others() {
        let modules = vec![
            recorded("here", Some(said("here", "old.example"))),
            recorded("gone", Some(said("gone", "gone.example"))),
            recorded("none", None),
        ];
        let record = Record {
            modules,
            auth: Some(config("sent.example")),
            outbound: Vec::new(),
            components: ComponentTree::default(),
        };
        let fresh = [loaded("here", Ok(Some(said("here", "new.example")))), loaded("none", Ok(None))];
        let restored = restore(&record, &fresh, &host()).unwrap();
        let issuers: Vec<_> = restored.issuers().collect();
        assert_eq!(issuers, ["https://sent.example", "https://new.example", "https://gone.example"]);
        let failing = [loaded("here", Err("set X".to_owned())), loaded("none", Ok(None))];
        let error = restore(&record, &failing, &host()).unwrap_err().to_string();
        assert_eq!(error, "set X");
        let wrong = Record { auth: Some(json!(7)), ..record };
        assert!(restore(&wrong, &fresh, &host()).unwrap_err().to_string().starts_with("host.toml: "));
    }
}
