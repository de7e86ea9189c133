//! Handles: texts by which any function can call another one, whatever its component is.
use weir_value::{ComponentPath, ErrorCode, FunctionAddress};

use crate::call::absence;
use crate::error::Failure;
use crate::{CallError, DbError, Functions, Principal, Transaction, Visibility};

impl Transaction {
    /// The handle of a function by its address, as the running function would call it.
    ///
    /// # Errors
    /// `FunctionNotFound`, `FunctionMissing`; `TooManyHostCalls` (poisons).
    pub fn function_handle(&mut self, path: &str) -> Result<String, CallError> {
        self.count_host_call()?;
        handle_of(&**self.functions_in_force(), self.path().component(), path)
    }
}

/// The handle of a function, by the address that a function of the component `from` has for it.
pub(crate) fn handle_of(
    functions: &dyn Functions,
    from: &ComponentPath,
    path: &str,
) -> Result<String, CallError> {
    let not_found = |reason: String| CallError::from(DbError::new(ErrorCode::FunctionNotFound, reason));
    let address = FunctionAddress::parse(path).map_err(|error| not_found(error.to_string()))?;
    let is_of_child = matches!(address, FunctionAddress::OfChild(..));
    let path = address.resolve(from).map_err(|error| not_found(error.to_string()))?;
    // What a component keeps to itself is not there for what mounts it.
    let is_there = |visibility: Visibility| !is_of_child || visibility == Visibility::Public;
    match functions.find(&path) {
        Some(info) if is_there(info.visibility) => Ok(path.handle()),
        Some(_) => Err(not_found(format!("There is no function `{path}` in this deployment."))),
        None => match absence(functions, &path, &Principal::System) {
            Failure::NotFound { .. } => {
                Err(not_found(format!("There is no function `{path}` in this deployment.")))
            }
            failure => Err(failure.into_nested_error(&path)),
        },
    }
}

#[cfg(test)]
mod tests {
    use weir_value::FunctionPath;

    use super::*;
    use crate::FunctionKind;
    use crate::native::{NativeFunctions, open_info};

    /// Functions of the app, of `mail` in it, and of `pool` in that.
    fn functions() -> NativeFunctions {
        let of = |component: &str, visibility: Visibility, name: &str| {
            let mut info = open_info(&format!("lib:{name}"), FunctionKind::Query);
            info.visibility = visibility;
            info.path = info.path.of(ComponentPath::parse(component).unwrap());
            info
        };
        let null = |_: &mut Transaction, _: &weir_value::Value| Ok(weir_value::Value::Null);
        NativeFunctions::new()
            .register(of("", Visibility::Internal, "own"), null)
            .register(of("mail", Visibility::Public, "send"), null)
            .register(of("mail", Visibility::Internal, "hidden"), null)
            .register(of("mail/pool", Visibility::Public, "enqueue"), null)
    }

    #[test]
    fn a_handle_is_given_of_what_can_be_called() {
        let functions = functions();
        let (app, mail) = (ComponentPath::APP, ComponentPath::parse("mail").unwrap());
        for (from, path, handle) in [
            (&app, "lib:own", "function://;lib:own"),
            (&app, "lib.js:own", "function://;lib:own"),
            (&app, "_reference/childComponent/mail/lib/send", "function://mail;lib:send"),
            (&mail, "lib:hidden", "function://mail;lib:hidden"),
            (&mail, "_reference/childComponent/pool/lib/enqueue", "function://mail/pool;lib:enqueue"),
            (&mail, "function://;lib:own", "function://;lib:own"),
        ] {
            assert_eq!(handle_of(&functions, from, path).as_deref(), Ok(handle), "{path}");
            let path = FunctionPath::parse_qualified(handle.strip_prefix("function://").unwrap()).unwrap();
            assert!(functions.find(&path).is_some(), "{handle}");
        }
    }

    #[test]
    fn what_cannot_be_called_has_none() {
        let functions = functions();
        let (app, mail) = (ComponentPath::APP, ComponentPath::parse("mail").unwrap());
        for (from, path) in [
            (&app, "lib:send"),
            (&app, "_reference/childComponent/mail/lib/hidden"),
            (&app, "_reference/childComponent/mail/pool/lib/enqueue"),
            (&app, "_reference/childComponent/post/lib/send"),
            (&app, "_reference/currentSystemUdfInComponent/1"),
            (&app, "function://mail;lib:gone"),
            (&mail, "lib:own"),
            (&mail, "no path"),
        ] {
            let error = handle_of(&functions, from, path).unwrap_err();
            assert_eq!(error.code, "FunctionNotFound", "{path}: {error:?}");
        }
    }
}
