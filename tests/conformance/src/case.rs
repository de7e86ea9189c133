//! The list of cases, as it stands in `cases.toml`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use weir_db::FunctionKind;
use weir_value::Identity;

/// All cases, and texts that several of them use.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    #[serde(default)]
    texts: BTreeMap<String, String>,
    /// In the order in which they run.
    pub case: Vec<Case>,
}

/// One behaviour: what is called, one call after the other, with an empty database before the first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What must hold, as a sentence.
    pub name: String,
    /// What the random numbers come from.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// The clock at the first step, in milliseconds.
    #[serde(default = "default_now_ms")]
    pub now_ms: f64,
    /// Whether the app mounts components: itself as `own`, in which the one in Rust is mounted as `inner`, and the one in
    /// Rust as `part`; see [`crate::Guest::mounting`].
    #[serde(default)]
    pub mounting: bool,
    /// The calls.
    pub steps: Vec<Step>,
}

/// One call, or what one socket does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    query: Option<String>,
    mutation: Option<String>,
    action: Option<String>,
    /// A request to an HTTP action: `POST /path?a=b`.
    pub http: Option<String>,
    /// Its headers.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Its body, with texts filled in as in the arguments.
    pub body: Option<String>,
    /// The query that a socket watches from now on.
    watch: Option<String>,
    /// The name of the socket that watches, or is somebody else's from now on.
    socket: Option<String>,
    /// Whether the socket is nobody's in particular from now on.
    #[serde(default)]
    pub signed_out: bool,
    /// Whether the result is a token, of which the verified claims are written down.
    #[serde(default)]
    pub token: bool,
    /// JSON, after `${name}` was replaced by a text or a saved result, and `${text*times}` by its repetition.
    #[serde(default = "no_args")]
    pub args: String,
    /// The name under which the result is kept for the steps after this one; the fields of an object are `name.field`.
    pub save: Option<String>,
    /// Who calls, or whose the socket is from now on: a JSON object, with texts filled in as in the arguments.
    pub identity: Option<String>,
    /// Whether the admin calls.
    #[serde(default)]
    pub admin: bool,
    /// Variables that are set before the call.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Variables that are removed before it.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Whether all scheduled functions are called, until none waits, before the call.
    #[serde(default)]
    pub finish_scheduled: bool,
    /// How far the clock goes on before the call; scheduled functions that are due then are called. Documents of one
    /// millisecond would come in any order.
    #[serde(default = "default_advance_ms")]
    pub advance_ms: u64,
}

fn default_seed() -> u64 {
    1
}

fn default_now_ms() -> f64 {
    1_790_000_000_000.0
}

fn default_advance_ms() -> u64 {
    1
}

fn no_args() -> String {
    "{}".to_owned()
}

impl Cases {
    /// Reads `cases.toml`.
    ///
    /// # Errors
    /// When it is not of its form, or two cases have one name.
    pub fn parse(text: &str) -> Result<Cases> {
        let cases: Cases = toml::from_str(text)?;
        let mut names = std::collections::BTreeSet::new();
        for case in &cases.case {
            if !names.insert(&case.name) {
                bail!("two cases have the name `{}`", case.name);
            }
            for step in &case.steps {
                step.action().with_context(|| format!("in `{}`", case.name))?;
            }
        }
        Ok(cases)
    }

    /// What a case begins with: the texts, to which its steps add their results.
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.texts.clone()
    }
}

/// What a step does.
#[derive(Debug, Clone, Copy)]
pub enum Action<'a> {
    /// Sends this request to an HTTP action.
    Send(&'a str),
    /// Calls this function, as what.
    Call(FunctionKind, &'a str),
    /// Lets a socket watch this query.
    Watch {
        /// The socket's name.
        socket: &'a str,
        /// The query.
        path: &'a str,
    },
    /// Says whose this socket is.
    Authenticate(&'a str),
}

impl Step {
    /// The variables that it changes before its call.
    pub fn changes(&self) -> BTreeMap<String, Option<String>> {
        let set = self.set.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        set.chain(self.remove.iter().map(|name| (name.clone(), None))).collect()
    }

    /// What it does.
    ///
    /// # Errors
    /// When the step says several things, or nothing.
    pub fn action(&self) -> Result<Action<'_>> {
        let calls = [
            (FunctionKind::Query, &self.query),
            (FunctionKind::Mutation, &self.mutation),
            (FunctionKind::Action, &self.action),
        ];
        let mut said = calls
            .into_iter()
            .filter_map(|(kind, path)| Some(Action::Call(kind, path.as_deref()?)))
            .chain(self.http.as_deref().map(Action::Send))
            .chain(self.of_socket());
        match (said.next(), said.next()) {
            (Some(action), None) => Ok(action),
            _ => bail!(
                "a step has either a query, or a mutation, or an action, or a request, or a socket that \
                 watches, or one that is somebody's: {self:?}"
            ),
        }
    }

    /// What a socket does in it.
    fn of_socket(&self) -> Option<Action<'_>> {
        match (&self.socket, &self.watch) {
            (Some(socket), Some(path)) => Some(Action::Watch { socket, path }),
            (Some(socket), None) if self.signed_out != self.identity.is_some() => {
                Some(Action::Authenticate(socket))
            }
            _ => None,
        }
    }

    /// Who calls, or whose the socket is, with these texts filled in; `None`: nobody in particular.
    ///
    /// # Errors
    /// When the claims are not somebody's.
    pub fn identity(&self, texts: &BTreeMap<String, String>) -> Result<Option<Identity>> {
        let Some(claims) = &self.identity else { return Ok(None) };
        Ok(Some(Identity::from_json(fill_in(claims, texts)?.as_bytes())?))
    }
}

/// A text with each `${...}` replaced.
///
/// # Errors
/// When a name is not known.
pub(crate) fn fill_in(template: &str, texts: &BTreeMap<String, String>) -> Result<String> {
    let Some((before, rest)) = template.split_once("${") else {
        return Ok(template.to_owned());
    };
    let (name, after) = rest.split_once('}').context("a `${` without its `}`")?;
    let text = match name.rsplit_once('*') {
        Some((text, times)) => text.repeat(times.parse().context("in `${text*times}`")?),
        // Texts may hold others.
        None => fill_in(texts.get(name).with_context(|| format!("nothing is called `{name}`"))?, texts)?,
    };
    Ok([before, &text, &fill_in(after, texts)?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_filled_in() {
        let texts = [("a".to_owned(), "<${b}>".to_owned()), ("b".to_owned(), "1".to_owned())].into();
        assert_eq!(fill_in("x ${a} ${b}${[*3} y", &texts).unwrap(), "x <1> 1[[[ y");
        assert!(fill_in("${c}", &texts).is_err());
    }

    #[test]
    fn a_case_that_says_too_little_is_refused() {
        for step in [
            "args = '{}'",
            "socket = 'a'",
            "query = 'a:b', socket = 'a', watch = 'a:b'",
            "query = 'a:b', action = 'a:b'",
            "watch = 'a:b'",
            "socket = 'a', signed_out = true, identity = '{}'",
        ] {
            let text = format!("[[case]]\nname = 'a'\nsteps = [{{ {step} }}]");
            assert!(Cases::parse(&text).is_err(), "{step}");
        }
        let twice = "[[case]]\nname = 'a'\nsteps = []\n".repeat(2);
        assert!(Cases::parse(&twice).unwrap_err().to_string().contains("`a`"));
    }
}
