//! The mounts of a deployment, one by one: a tree that was checked.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{ComponentTree, DeclaredMount, DeclaredVariable, Definition, SentBinding};
use super::{ComponentPath, check_component_name};
use crate::limits::{COMPONENT_DEPTH_MAX, COMPONENT_MOUNTS_MAX};
use crate::names::check_variable_name;
use crate::{TableNumber, Validator, Value};

/// What is wrong with a tree of components, and in which file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ComponentError {
    /// The file that says it, or what else to look at.
    pub place: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// One component, where it is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub path: ComponentPath,
    /// Which definition it is of.
    pub definition: String,
    /// The modules of that.
    pub modules: Vec<String>,
    /// What the paths of its routes begin with, in full; it ends with a `/`. `None`: they are not served.
    pub http_prefix: Option<String>,
    /// All variables that it has.
    pub variables: BTreeMap<String, Binding>,
    /// The file that mounts it.
    pub place: String,
}

/// What a variable of a mount is, in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// This text.
    Value(String),
    /// Whatever the app's variable is that has this name, and what it must be like.
    Variable {
        /// The name in the app.
        name: String,
        /// What the value must be like.
        validator: Validator,
        /// Whether the mount goes without it.
        optional: bool,
    },
}

/// All mounts of a deployment, in the order of their paths, what mounts others before those.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mounts {
    mounts: Vec<Mount>,
    /// What the paths of the app's own routes begin with; it ends with a `/`.
    pub app_http_prefix: Option<String>,
    app_variables: BTreeMap<String, (Validator, bool)>,
}

impl ComponentTree {
    /// Checks the tree, and lists what it mounts. Every module of a definition must be among `modules`.
    ///
    /// # Errors
    /// The first thing that is wrong: a name that is none or is there twice, a definition that is not there or mounts
    /// itself in the end, a variable that has no value, too many mounts, or too many one inside the other.
    pub fn mounts(&self, modules: &[&str]) -> Result<Mounts, ComponentError> {
        self.check_modules(modules)?;
        let app_variables = declared(&self.variables, "the app")?;
        let app_http_prefix =
            self.http_prefix.as_deref().map(|prefix| normal_prefix(prefix, "the app")).transpose()?;
        let mut walk = Walk { tree: self, mounts: Vec::new(), open: Vec::new() };
        let app = Parent { path: ComponentPath::APP, http_prefix: Some("/".to_owned()), variables: None };
        walk.mount_all(&self.mounts, &app)?;
        let mut mounts = walk.mounts;
        mounts.sort_by(|a, b| a.path.cmp(&b.path));
        let mounts = Mounts { mounts, app_http_prefix, app_variables };
        mounts.check_prefixes()?;
        Ok(mounts)
    }

    fn check_modules(&self, modules: &[&str]) -> Result<(), ComponentError> {
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, definition) in &self.definitions {
            let refuse = |reason: String| ComponentError { place: format!("the component {name:?}"), reason };
            for module in &definition.modules {
                if !modules.contains(&module.as_str()) {
                    return Err(refuse(format!(
                        "its module `{module}` is not among those that are deployed"
                    )));
                }
                if let Some(other) = owners.insert(module, name) {
                    return Err(refuse(format!("its module `{module}` is one of {other:?} too")));
                }
            }
        }
        Ok(())
    }

    /// The same without the definitions that nothing mounts.
    #[must_use]
    pub fn of_mounts(mut self, mounts: &Mounts) -> ComponentTree {
        self.definitions.retain(|name, _| mounts.iter().any(|mount| mount.definition == *name));
        self
    }

    /// The modules that are of no component: the app's own.
    pub fn is_app_module(&self, module: &str) -> bool {
        !self.definitions.values().any(|definition| definition.modules.iter().any(|name| name == module))
    }
}

/// What mounts others.
struct Parent {
    path: ComponentPath,
    http_prefix: Option<String>,
    /// `None`: the app, which has whatever variables are set.
    variables: Option<BTreeMap<String, Binding>>,
}

struct Walk<'a> {
    tree: &'a ComponentTree,
    mounts: Vec<Mount>,
    /// The definitions that stand around the present one.
    open: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn mount_all(&mut self, declared: &'a [DeclaredMount], parent: &Parent) -> Result<(), ComponentError> {
        let mut names = BTreeSet::new();
        for mount in declared {
            let refuse = |reason: String| ComponentError { place: mount.place.clone(), reason };
            check_component_name(&mount.name).map_err(|error| refuse(error.to_string()))?;
            if !names.insert(&mount.name) {
                return Err(refuse(format!(
                    "two components are mounted as `{}`; give one another name: `use(component, {{ name: \"...\" }})`",
                    mount.name
                )));
            }
            self.mount(mount, parent)?;
        }
        Ok(())
    }

    fn mount(&mut self, mount: &'a DeclaredMount, parent: &Parent) -> Result<(), ComponentError> {
        let refuse = |reason: String| ComponentError { place: mount.place.clone(), reason };
        let Some((name, definition)) = self.tree.definitions.get_key_value(&mount.definition) else {
            return Err(refuse(format!("there is no component {:?} to be mounted", mount.definition)));
        };
        if self.open.contains(&name.as_str()) {
            let cycle = [&self.open[..], &[name]].concat().join("` -> `");
            return Err(refuse(format!("a component cannot be mounted in itself: `{cycle}`")));
        }
        if self.open.len() == COMPONENT_DEPTH_MAX {
            return Err(refuse(format!(
                "more than {COMPONENT_DEPTH_MAX} components are mounted one in the other"
            )));
        }
        if self.mounts.len() == COMPONENT_MOUNTS_MAX {
            return Err(refuse(format!("more than {COMPONENT_MOUNTS_MAX} components are mounted")));
        }
        let path = parent.path.child(&mount.name).map_err(|error| refuse(error.to_string()))?;
        let variables = bind(mount, definition, parent).map_err(refuse)?;
        let http_prefix = joined_prefix(parent, mount)?;
        let inside = Parent {
            path: path.clone(),
            http_prefix: http_prefix.clone(),
            variables: Some(variables.clone()),
        };
        let modules = definition.modules.clone();
        let place = mount.place.clone();
        self.mounts.push(Mount { path, definition: name.clone(), modules, http_prefix, variables, place });
        self.open.push(name);
        self.mount_all(&definition.mounts, &inside)?;
        self.open.pop();
        Ok(())
    }
}

/// What the variables of a mount are, those of what mounts it being known.
fn bind(
    mount: &DeclaredMount,
    definition: &Definition,
    parent: &Parent,
) -> Result<BTreeMap<String, Binding>, String> {
    let declared = declared(&definition.variables, &mount.definition).map_err(|error| error.to_string())?;
    if let Some(name) = mount.variables.keys().find(|name| !declared.contains_key(*name)) {
        return Err(format!("the component `{}` declares no variable `{name}`", mount.name));
    }
    let mut bound = BTreeMap::new();
    for (name, (validator, optional)) in declared {
        let binding = match mount.variables.get(&name) {
            None => None,
            Some(SentBinding::Value(value)) => Some(Binding::Value(value.clone())),
            Some(SentBinding::Variable(of_parent)) => match &parent.variables {
                None => Some(Binding::Variable {
                    name: of_parent.clone(),
                    validator: validator.clone(),
                    optional,
                }),
                Some(variables) => {
                    variables.get(of_parent).map(|binding| narrowed(binding, &validator, optional))
                }
            },
        };
        match binding {
            Some(Binding::Value(value)) if !fits(&validator, &value) => {
                return Err(format!(
                    "the variable `{name}` of the component `{}` must be {validator}, and is not",
                    mount.name
                ));
            }
            Some(binding) => drop(bound.insert(name, binding)),
            None if optional => {}
            None => {
                return Err(format!(
                    "the component `{}` needs the variable `{name}`; give it one: `use(component, {{ env: {{ {name}: ... }} }})`",
                    mount.name
                ));
            }
        }
    }
    Ok(bound)
}

/// A binding of what mounts it, with what is asked of it here.
fn narrowed(binding: &Binding, validator: &Validator, optional: bool) -> Binding {
    match binding {
        Binding::Value(value) => Binding::Value(value.clone()),
        // A reference goes to the app's variable, which must please the last one that reads it.
        Binding::Variable { name, optional: above, .. } => Binding::Variable {
            name: name.clone(),
            validator: validator.clone(),
            optional: *above && optional,
        },
    }
}

fn declared(
    variables: &BTreeMap<String, DeclaredVariable>,
    owner: &str,
) -> Result<BTreeMap<String, (Validator, bool)>, ComponentError> {
    let read = |(name, declared): (&String, &DeclaredVariable)| {
        let refuse = |reason: String| ComponentError { place: owner.to_owned(), reason };
        check_variable_name(name).map_err(|error| refuse(error.to_string()))?;
        let validator = Validator::from_json(&declared.validator)
            .map_err(|error| refuse(format!("the validator of the variable `{name}`: {error}")))?;
        Ok((name.clone(), (validator, declared.optional)))
    };
    variables.iter().map(read).collect()
}

fn fits(validator: &Validator, value: &str) -> bool {
    validator.check(&Value::String(value.to_owned()), &|_: TableNumber| None).is_ok()
}

/// `/mail` and `/mail/` are the same.
fn normal_prefix(prefix: &str, place: &str) -> Result<String, ComponentError> {
    let inner = prefix.strip_prefix('/').map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let is_part =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['?', '#', '\\']);
    match inner {
        Some("") => Ok("/".to_owned()),
        Some(inner) if inner.split('/').all(is_part) => Ok(format!("/{inner}/")),
        _ => Err(ComponentError {
            place: place.to_owned(),
            reason: format!("the HTTP prefix {prefix:?} is not a path such as \"/mail/\""),
        }),
    }
}

/// The prefix of a mount in a mount is behind that of the outer one, and where that one has none there is none.
fn joined_prefix(parent: &Parent, mount: &DeclaredMount) -> Result<Option<String>, ComponentError> {
    let own = mount.http_prefix.as_deref().map(|prefix| normal_prefix(prefix, &mount.place)).transpose()?;
    Ok(parent.http_prefix.as_ref().zip(own).map(|(outer, own)| format!("{outer}{}", &own[1..])))
}

impl Mounts {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.mounts.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.mounts.is_empty()
    }

    /// What is mounted there.
    pub fn find(&self, path: &ComponentPath) -> Option<&Mount> {
        self.mounts.binary_search_by(|mount| mount.path.cmp(path)).ok().map(|at| &self.mounts[at])
    }

    /// Checks the app's variables, of which `value` gives those that are set, against what the app and its components
    /// declare.
    ///
    /// # Errors
    /// One is missing, or not as it must be. The text shows no value.
    pub fn check_variables(&self, value: impl Fn(&str) -> Option<String>) -> Result<(), ComponentError> {
        let wants = |place: &str, name: &str, validator: &Validator, optional: bool| {
            let reason = match value(name) {
                None if optional => return Ok(()),
                None => format!("the variable `{name}` is not set; set it: `host env set {name} VALUE`"),
                Some(value) if fits(validator, &value) => return Ok(()),
                Some(_) => format!("the variable `{name}` must be {validator}, and is not"),
            };
            Err(ComponentError { place: place.to_owned(), reason })
        };
        for (name, (validator, optional)) in &self.app_variables {
            wants("the app", name, validator, *optional)?;
        }
        for mount in &self.mounts {
            for binding in mount.variables.values() {
                let Binding::Variable { name, validator, optional } = binding else { continue };
                let place = format!("{} (the component `{}`)", mount.place, mount.path);
                wants(&place, name, validator, *optional)?;
            }
        }
        Ok(())
    }

    fn check_prefixes(&self) -> Result<(), ComponentError> {
        let mut seen: BTreeMap<&str, &ComponentPath> = BTreeMap::new();
        for mount in &self.mounts {
            let Some(prefix) = mount.http_prefix.as_deref() else { continue };
            if let Some(other) = seen.insert(prefix, &mount.path) {
                let reason = format!("`{}` and `{other}` have one HTTP prefix, {prefix}", mount.path);
                return Err(ComponentError { place: mount.place.clone(), reason });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree(json: serde_json::Value) -> ComponentTree {
        serde_json::from_value(json).unwrap()
    }

    fn mount(name: &str, definition: &str) -> serde_json::Value {
        json!({ "name": name, "definition": definition, "place": "convex.config.ts" })
    }

    fn error(json: serde_json::Value) -> String {
        tree(json).mounts(&["m"]).unwrap_err().to_string()
    }

    #[test]
    fn a_tree_is_listed_by_paths() {
        let text = json!({ "type": "string" });
        let tree = tree(json!({
            "definitions": {
                "mail": { "modules": ["m"], "variables": { "KEY": { "validator": text }, "MODE": { "validator": text, "optional": true } } },
                "waitlist": { "modules": [], "variables": { "K": { "validator": text } }, "mounts": [
                    { "name": "mail", "definition": "mail", "httpPrefix": "/m", "place": "w",
                      "variables": { "KEY": { "variable": "K" } } }] },
            },
            "mounts": [
                { "name": "waitlist", "definition": "waitlist", "httpPrefix": "/w/", "place": "a",
                  "variables": { "K": { "variable": "MAIL_KEY" } } },
                { "name": "mail", "definition": "mail", "place": "a", "variables": { "KEY": { "value": "k" } } },
            ],
        }));
        let mounts = tree.mounts(&["m", "app"]).unwrap();
        let shown: Vec<_> =
            mounts.iter().map(|mount| (mount.path.as_str(), mount.http_prefix.as_deref())).collect();
        assert_eq!(shown, [("mail", None), ("waitlist", Some("/w/")), ("waitlist/mail", Some("/w/m/"))]);
        let inner = mounts.find(&ComponentPath::parse("waitlist/mail").unwrap()).unwrap();
        let Binding::Variable { name, optional, .. } = &inner.variables["KEY"] else { panic!("{inner:?}") };
        assert_eq!((name.as_str(), *optional), ("MAIL_KEY", false));
        assert!(!inner.variables.contains_key("MODE"));
        assert!(tree.is_app_module("app") && !tree.is_app_module("m"));
        let missing = mounts.check_variables(|_| None).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "a (the component `waitlist`): the variable `MAIL_KEY` is not set; set it: `host env set MAIL_KEY VALUE`"
        );
        mounts.check_variables(|name| (name == "MAIL_KEY").then(String::new)).unwrap();
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_file() {
        let one = json!({ "d": { "modules": ["m"] } });
        let twice = error(json!({ "definitions": one, "mounts": [mount("a", "d"), mount("a", "d")] }));
        assert!(twice.starts_with("convex.config.ts: two components are mounted as `a`"), "{twice}");
        let gone = error(json!({ "mounts": [mount("a", "x")] }));
        assert_eq!(gone, "convex.config.ts: there is no component \"x\" to be mounted");
        let cycle = error(json!({
            "definitions": { "x": { "modules": [], "mounts": [mount("y", "y")] }, "y": { "modules": [], "mounts": [mount("x", "x")] } },
            "mounts": [mount("x", "x")],
        }));
        assert_eq!(cycle, "convex.config.ts: a component cannot be mounted in itself: `x` -> `y` -> `x`");
        let name = error(json!({ "definitions": one, "mounts": [mount("a-b", "d")] }));
        assert!(name.contains("\"a-b\" is not the name of a component"), "{name}");
        let text = json!({ "K": { "validator": { "type": "string" } } });
        let with = json!({ "d": { "modules": ["m"], "variables": text } });
        let needs = error(json!({ "definitions": with, "mounts": [mount("a", "d")] }));
        assert!(needs.contains("the component `a` needs the variable `K`"), "{needs}");
        let mut odd = mount("a", "d");
        odd["variables"] = json!({ "K": { "value": "" }, "L": { "value": "" } });
        let unknown = error(json!({ "definitions": with, "mounts": [odd] }));
        assert!(unknown.contains("declares no variable `L`"), "{unknown}");
        let literal = json!({ "K": { "validator": { "type": "literal", "value": "on" } } });
        let mut wrong = mount("a", "d");
        wrong["variables"] = json!({ "K": { "value": "off" } });
        let wrong = error(
            json!({ "definitions": { "d": { "modules": [], "variables": literal } }, "mounts": [wrong] }),
        );
        assert!(wrong.contains("the variable `K` of the component `a` must be"), "{wrong}");
        let module = error(json!({ "definitions": { "d": { "modules": ["n"] } } }));
        assert!(module.contains("`n` is not among those that are deployed"), "{module}");
        let shared =
            error(json!({ "definitions": { "d": { "modules": ["m"] }, "e": { "modules": ["m"] } } }));
        assert!(shared.contains("`m` is one of \"d\" too"), "{shared}");
        for prefix in ["mail", "/a//b", "/../", "/a?b"] {
            let mut odd = mount("a", "d");
            odd["httpPrefix"] = json!(prefix);
            let refused = error(json!({ "definitions": one, "mounts": [odd] }));
            assert!(refused.contains("is not a path such as"), "{refused}");
        }
        let [mut first, mut second] = ["a", "b"].map(|name| mount(name, "d"));
        first["httpPrefix"] = json!("/p");
        second["httpPrefix"] = json!("/p/");
        let same = error(json!({ "definitions": one, "mounts": [first, second] }));
        assert!(same.contains("`b` and `a` have one HTTP prefix, /p/"), "{same}");
    }

    #[test]
    fn a_tree_is_bounded() {
        let names: Vec<String> = (0..=COMPONENT_DEPTH_MAX).map(|n| format!("d{n}")).collect();
        let definitions: serde_json::Map<_, _> = (0..=COMPONENT_DEPTH_MAX)
            .map(|n| {
                let inner: Vec<_> = names.get(n + 1).map(|name| mount("in", name)).into_iter().collect();
                (names[n].clone(), json!({ "modules": [], "mounts": inner }))
            })
            .collect();
        let deep = error(json!({ "definitions": definitions, "mounts": [mount("in", "d0")] }));
        assert!(deep.contains("one in the other"), "{deep}");
        let many: Vec<_> = (0..=COMPONENT_MOUNTS_MAX).map(|n| mount(&format!("m{n}"), "d")).collect();
        let many = error(json!({ "definitions": { "d": { "modules": [] } }, "mounts": many }));
        assert!(many.contains("components are mounted"), "{many}");
    }
}
