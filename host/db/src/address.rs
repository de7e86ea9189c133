//! How a function names another one: its own component's by path, one of what its component mounts, or by a handle.
//!
//! **Invariant:** a function reaches another component only through what that makes public to its parent, or through a
//! handle that somebody has made who could reach the function. So handles are sealed: nobody can make one up.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use weir_value::{ComponentPath, ErrorCode, FunctionAddress, FunctionPath};

use crate::call::absence;
use crate::error::Failure;
use crate::query::CursorKey;
use crate::{CallError, DbError, Deployment, Principal, Transaction, Visibility};

/// What a handle begins with.
const HANDLE: &str = "function://";
/// What handles are sealed with, so that no other sealed text is one.
const PURPOSE: &[u8] = b"weir: function handle";

/// What is looked for, and in what.
pub(crate) struct Addresses<'a> {
    pub(crate) deployment: &'a dyn Deployment,
    /// The component of the function that names another one.
    pub(crate) from: &'a ComponentPath,
    pub(crate) key: &'a CursorKey,
}

impl Addresses<'_> {
    /// The path of a function that may be called; whether it is there is not looked at, unless it is of another component.
    ///
    /// # Errors
    /// `FunctionNotFound`.
    pub(crate) fn resolve(&self, text: &str) -> Result<FunctionPath, DbError> {
        let not_found = |message: String| DbError::new(ErrorCode::FunctionNotFound, message);
        if text.starts_with(HANDLE) {
            return self.open(text).ok_or_else(|| {
                not_found("This is not the handle of a function: use one that `createFunctionHandle` gives, as it is.".to_owned())
            });
        }
        let invalid = |error: weir_value::FunctionPathError| not_found(format!("`{text}`: {error}"));
        let address = FunctionAddress::parse(text).map_err(invalid)?;
        let is_child = matches!(address, FunctionAddress::OfChild(..));
        let path = address.resolve(self.from).map_err(invalid)?;
        if is_child {
            self.check_child(&path)?;
        }
        Ok(path)
    }

    /// What a component makes public is its parent's; the rest is its own.
    fn check_child(&self, path: &FunctionPath) -> Result<(), DbError> {
        let missing =
            || self.deployment.missing(path).is_some_and(|it| it.visibility != Some(Visibility::Internal));
        match self.deployment.find(path) {
            Some(info) if info.visibility == Visibility::Public => Ok(()),
            None if missing() => Ok(()),
            _ => {
                let (component, local) = (path.component(), path.local());
                let message = match self.deployment.mounts().find(component) {
                    Some(_) => format!("The component `{component}` has no public function `{local}`."),
                    None => format!("There is no component `{component}` in this deployment."),
                };
                Err(DbError::new(ErrorCode::FunctionNotFound, message))
            }
        }
    }

    /// The handle of a function that is there.
    ///
    /// # Errors
    /// `FunctionNotFound`, `FunctionMissing`.
    pub(crate) fn handle(&self, text: &str) -> Result<String, CallError> {
        let path = self.resolve(text)?;
        if self.deployment.find(&path).is_none() {
            return Err(not_there(self.deployment, &path));
        }
        let sealed = self.key.seal_bytes(path.to_string().as_bytes(), PURPOSE);
        Ok(format!("{HANDLE}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    fn open(&self, handle: &str) -> Option<FunctionPath> {
        let sealed = URL_SAFE_NO_PAD.decode(handle.strip_prefix(HANDLE)?).ok()?;
        let text = String::from_utf8(self.key.open_bytes(&sealed, PURPOSE)?).ok()?;
        FunctionPath::parse_qualified(&text).ok()
    }
}

/// Why a function that another one calls is not there.
pub(crate) fn not_there(deployment: &dyn Deployment, path: &FunctionPath) -> CallError {
    match absence(deployment, path, &Principal::System) {
        Failure::NotFound { .. } => {
            let message = format!("There is no function `{path}` in this deployment.");
            DbError::new(ErrorCode::FunctionNotFound, message).into()
        }
        failure => failure.into_nested_error(path),
    }
}

impl Transaction {
    /// The path of a function that this one may call, by how it names it.
    ///
    /// # Errors
    /// `FunctionNotFound`.
    pub(crate) fn resolve_address(&self, text: &str) -> Result<FunctionPath, DbError> {
        let key = self.cursor_key();
        let deployment = &**self.deployment_in_force();
        Addresses { deployment, from: self.path().component(), key: &key }.resolve(text)
    }

    /// A text by which any function can call this one: it can be stored, and given to other components.
    ///
    /// # Errors
    /// `FunctionNotFound`, `FunctionMissing`; the limits.
    pub fn function_handle(&mut self, address: &str) -> Result<String, CallError> {
        self.count_host_call()?;
        let key = self.cursor_key();
        let deployment = &**self.deployment_in_force();
        Addresses { deployment, from: self.path().component(), key: &key }.handle(address)
    }
}
