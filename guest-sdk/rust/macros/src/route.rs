//! The options of `#[http_action]` that say which requests it answers.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{Error, LitStr, Result};

/// The methods that routes may have; a `HEAD` is answered as a `GET`.
const METHODS: [&str; 6] = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"];

/// What they say.
#[derive(Default)]
pub(crate) struct RouteOptions {
    method: Option<LitStr>,
    path: Option<LitStr>,
    path_prefix: Option<LitStr>,
}

impl RouteOptions {
    /// Takes an option in, if it is one of these.
    pub(crate) fn parse(&mut self, meta: &ParseNestedMeta<'_>) -> Result<bool> {
        let option = match () {
            () if meta.path.is_ident("method") => &mut self.method,
            () if meta.path.is_ident("path") => &mut self.path,
            () if meta.path.is_ident("path_prefix") => &mut self.path_prefix,
            () => return Ok(false),
        };
        *option = Some(meta.value()?.parse()?);
        Ok(true)
    }

    /// Whether they make a route.
    pub(crate) fn check(&self) -> Result<()> {
        let (Some(method), true) = (&self.method, self.path.is_some() != self.path_prefix.is_some()) else {
            let text = "give it a route: a `method`, and either a `path` or a `path_prefix`";
            return Err(Error::new(Span::call_site(), text));
        };
        if !METHODS.contains(&method.value().as_str()) {
            return Err(Error::new(method.span(), format!("a method is one of {}", METHODS.join(", "))));
        }
        let (path, is_prefix) = self.written_path();
        if !path.value().starts_with('/') {
            return Err(Error::new(path.span(), "a path begins with a `/`"));
        }
        if is_prefix && !path.value().ends_with('/') {
            return Err(Error::new(path.span(), "a path prefix ends with a `/`"));
        }
        Ok(())
    }

    fn written_path(&self) -> (&LitStr, bool) {
        let path = self.path.as_ref().map(|path| (path, false));
        let path = path.or(self.path_prefix.as_ref().map(|prefix| (prefix, true)));
        path.expect("it has been checked that there is one")
    }

    /// The route as the SDK keeps it.
    pub(crate) fn registered(&self) -> TokenStream {
        let (method, (path, is_prefix)) = (&self.method, self.written_path());
        quote!(::weir::__private::Route { method: #method, path: #path, is_prefix: #is_prefix })
    }
}
