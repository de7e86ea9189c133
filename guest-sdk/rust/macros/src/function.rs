//! `#[query]`, `#[mutation]`, `#[action]` and `#[http_action]`: the function stays
//! as it is, and beside it goes what registers it.

use proc_macro2::{TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Error, FnArg, ItemFn, LitStr, Pat, PatIdent, PatType, Result, ReturnType, Type};

use crate::case;
use crate::route::RouteOptions;

/// What a function may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Query,
    Mutation,
    Action,
    HttpAction,
}

#[derive(Default)]
struct Options {
    is_internal: bool,
    name: Option<LitStr>,
    route: RouteOptions,
}

struct Parameter {
    /// The field of the arguments' struct.
    field: syn::Ident,
    /// The name that clients give.
    name: String,
    /// The type that is read; for a reference, the type it is borrowed from.
    owned: TokenStream,
    /// How the function takes it.
    is_reference: bool,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Query => "query",
            Kind::Mutation => "mutation",
            Kind::Action => "action",
            Kind::HttpAction => "httpAction",
        }
    }

    /// What its attribute is called.
    fn attribute(self) -> &'static str {
        if self == Kind::HttpAction { "http_action" } else { self.name() }
    }

    /// As people say it.
    fn title(self) -> &'static str {
        match self {
            Kind::Query => "a query",
            Kind::Mutation => "a mutation",
            Kind::Action => "an action",
            Kind::HttpAction => "an HTTP action",
        }
    }

    fn waits(self) -> bool {
        matches!(self, Kind::Action | Kind::HttpAction)
    }

    fn ctx(self) -> &'static str {
        match self {
            Kind::Query => "QueryCtx",
            Kind::Mutation => "MutationCtx",
            Kind::Action | Kind::HttpAction => "ActionCtx",
        }
    }
}

pub(crate) fn expand(kind: Kind, options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options = parse_options(kind, options)?;
    let function: ItemFn = syn::parse2(item)?;
    check_signature(kind, &function)?;
    let takes_mut = check_ctx(kind, &function)?;
    let parameters = function.sig.inputs.iter().skip(1).map(parameter).collect::<Result<Vec<_>>>()?;
    let registration = match kind {
        Kind::HttpAction => register_http(&options, &function, &parameters)?,
        _ => register(kind, &options, &function, takes_mut, &parameters),
    };
    Ok(quote! {
        #function
        #registration
    })
}

fn parse_options(kind: Kind, tokens: TokenStream) -> Result<Options> {
    let mut options = Options::default();
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("internal") && kind != Kind::HttpAction {
            options.is_internal = true;
        } else if meta.path.is_ident("name") {
            options.name = Some(meta.value()?.parse()?);
        } else if kind != Kind::HttpAction || !options.route.parse(&meta)? {
            let name = kind.attribute();
            return Err(meta.error(match kind {
                Kind::HttpAction => format!(
                    "expected `method`, `path`, `path_prefix` or `name`, as in `#[{name}(method = \"POST\", path = \"/hook\")]`"
                ),
                _ => format!("expected `#[{name}(internal)]` or `#[{name}(name = \"...\")]`"),
            }));
        }
        Ok(())
    });
    parser.parse2(tokens)?;
    if kind == Kind::HttpAction {
        options.route.check()?;
    }
    if let Some(name) = &options.name {
        check_name(name)?;
    }
    Ok(options)
}

fn check_name(name: &LitStr) -> Result<()> {
    let text = name.value();
    let starts_well = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if starts_well && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return Ok(());
    }
    Err(Error::new(
        name.span(),
        "a function's name is made of ASCII letters, digits and `_`, and does not begin with a digit",
    ))
}

fn check_signature(kind: Kind, function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    let name = kind.title();
    match &signature.asyncness {
        Some(asyncness) if !kind.waits() => {
            let text = format!("{name} runs to its end without waiting; remove `async`");
            return Err(Error::new(asyncness.span(), text));
        }
        None if kind.waits() => {
            let text = format!("{name} waits for the world; make it an `async fn`");
            return Err(Error::new(signature.fn_token.span(), text));
        }
        _ => {}
    }
    if !signature.generics.params.is_empty() {
        let text = format!("{name} is called with values, whose types must be known; it cannot be generic");
        return Err(Error::new(signature.generics.span(), text));
    }
    Ok(())
}

/// Whether the function takes its context by `&mut`.
fn check_ctx(kind: Kind, function: &ItemFn) -> Result<bool> {
    let wanted = || format!("the first parameter of {} is `ctx: &{}`", kind.title(), kind.ctx());
    match function.sig.inputs.first() {
        Some(FnArg::Typed(PatType { ty, .. })) => match ty.as_ref() {
            Type::Reference(reference) if kind.waits() && reference.mutability.is_some() => {
                Err(Error::new(ty.span(), wanted()))
            }
            Type::Reference(reference) => Ok(reference.mutability.is_some()),
            other => Err(Error::new(other.span(), wanted())),
        },
        Some(receiver) => Err(Error::new(receiver.span(), wanted())),
        None => Err(Error::new(function.sig.ident.span(), wanted())),
    }
}

fn parameter(argument: &FnArg) -> Result<Parameter> {
    let FnArg::Typed(PatType { pat, ty, .. }) = argument else {
        return Err(Error::new(argument.span(), "a function of a module has no `self`"));
    };
    let Pat::Ident(PatIdent { ident, subpat: None, by_ref: None, .. }) = pat.as_ref() else {
        return Err(Error::new(pat.span(), "give this parameter a name: clients pass arguments by name"));
    };
    let (owned, is_reference) = match ty.as_ref() {
        Type::Reference(reference) if reference.mutability.is_some() => {
            return Err(Error::new(ty.span(), "an argument cannot be taken by `&mut`; take its value"));
        }
        Type::Reference(reference) => {
            let inner = &reference.elem;
            (quote!(<#inner as ::std::borrow::ToOwned>::Owned), true)
        }
        other if holds_reference(quote!(#other)) => {
            let text = "only the argument itself may be a reference, not a part of it; use `String` for `&str`, `Vec` for a slice";
            return Err(Error::new(ty.span(), text));
        }
        other => (quote!(#other), false),
    };
    let name = case::outgoing(&ident.to_string());
    Ok(Parameter { field: ident.clone(), name, owned, is_reference })
}

fn holds_reference(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == '&',
        TokenTree::Group(group) => holds_reference(group.stream()),
        _ => false,
    })
}

fn register(
    kind: Kind,
    options: &Options,
    function: &ItemFn,
    takes_mut: bool,
    parameters: &[Parameter],
) -> TokenStream {
    let ident = &function.sig.ident;
    let name = name_of(options, function);
    let kind_name = kind.name();
    let visibility = if options.is_internal { "internal" } else { "public" };
    let ctx_type = format_ident!("{}", kind.ctx());
    let ctx = if takes_mut { quote!(&mut __weir_ctx) } else { quote!(&__weir_ctx) };
    let args_struct = args_struct(parameters);
    let shapes = parameters
        .iter()
        .map(|Parameter { name, owned, .. }| quote!((#name, <#owned as ::weir::Shape>::field())));
    let passed = parameters.iter().map(|Parameter { field, is_reference, .. }| {
        if *is_reference { quote!(&__weir_args.#field) } else { quote!(__weir_args.#field) }
    });
    let call = quote!(#ident(#ctx, #(#passed),*));
    let call = if kind.waits() { quote!(#call.await) } else { call };
    let (result, returns) = outcome(&function.sig.output, call);
    let run = match kind.waits() {
        true => quote!(::weir::__private::run_action(async { #result })),
        false => quote!(::weir::__private::write_result(#result)),
    };
    // The names are ones that the function's own module will not have: they
    // stand between its and the macro's code.
    quote! {
        const _: () = {
            #args_struct
            fn __weir_args() -> ::weir::Validator {
                ::weir::Validator::object([#(#shapes),*])
            }
            fn __weir_returns() -> ::weir::Validator {
                #returns
            }
            fn __weir_run(__weir_json: &[u8]) -> ::weir::Result<::std::vec::Vec<u8>> {
                #[allow(unused_variables, reason = "there may be no parameters")]
                let __weir_args: __WeirArgs = ::weir::__private::read_args(__weir_json)?;
                #[allow(unused_mut, reason = "the function may not want it")]
                let mut __weir_ctx = ::weir::#ctx_type::new();
                #run
            }
            ::weir::__private::inventory::submit! {
                ::weir::__private::Function {
                    package: ::core::env!("CARGO_PKG_NAME"),
                    module_path: ::core::module_path!(),
                    name: #name,
                    kind: #kind_name,
                    visibility: #visibility,
                    args: __weir_args,
                    returns: __weir_returns,
                    run: __weir_run,
                    route: ::core::option::Option::None,
                }
            }
        };
    }
}

/// The name that clients call it by.
fn name_of(options: &Options, function: &ItemFn) -> String {
    match &options.name {
        Some(name) => name.value(),
        None => case::outgoing(&function.sig.ident.to_string()),
    }
}

fn register_http(options: &Options, function: &ItemFn, parameters: &[Parameter]) -> Result<TokenStream> {
    let [request] = parameters else {
        let text = "an HTTP action takes the request: `async fn hook(ctx: &ActionCtx, request: Request) -> Result<Response>`";
        return Err(Error::new(function.sig.inputs.span(), text));
    };
    if request.is_reference {
        return Err(Error::new(
            function.sig.inputs.span(),
            "an HTTP action takes the request by value: `request: Request`",
        ));
    }
    let ident = &function.sig.ident;
    let name = name_of(options, function);
    let route = options.route.registered();
    let call = quote!(#ident(&__weir_ctx, __weir_request).await);
    let result = match &function.sig.output {
        ReturnType::Type(_, returned) if is_result(returned) => {
            quote!(#call.map_err(::core::convert::Into::into))
        }
        _ => quote!(::weir::Result::Ok(#call)),
    };
    Ok(quote! {
        const _: () = {
            fn __weir_run(__weir_json: &[u8]) -> ::weir::Result<::std::vec::Vec<u8>> {
                ::weir::__private::run_http_action(__weir_json, |__weir_request| ::std::boxed::Box::pin(async move {
                    let __weir_ctx = ::weir::ActionCtx::new();
                    #result
                }))
            }
            ::weir::__private::inventory::submit! {
                ::weir::__private::Function {
                    package: ::core::env!("CARGO_PKG_NAME"),
                    module_path: ::core::module_path!(),
                    name: #name,
                    kind: "httpAction",
                    visibility: "public",
                    args: || ::weir::Validator::Any,
                    returns: || ::weir::Validator::Any,
                    run: __weir_run,
                    route: ::core::option::Option::Some(#route),
                }
            }
        };
    })
}

fn args_struct(parameters: &[Parameter]) -> TokenStream {
    let fields = parameters.iter().map(|Parameter { field, name, owned, .. }| {
        quote! {
            #[serde(rename = #name)]
            #field: #owned
        }
    });
    quote! {
        #[derive(::weir::__private::serde::Deserialize)]
        #[serde(crate = "::weir::__private::serde")]
        struct __WeirArgs {
            #(#fields),*
        }
    }
}

/// The call's `weir::Result`, and the validator of what it holds.
fn outcome(output: &ReturnType, call: TokenStream) -> (TokenStream, TokenStream) {
    let returned = match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, returned) if is_result(returned) => {
            return (
                quote!(::weir::__private::Outcome::into_result(#call)),
                quote!(<<#returned as ::weir::__private::Outcome>::Value as ::weir::Shape>::validator()),
            );
        }
        ReturnType::Type(_, returned) => quote!(#returned),
    };
    (quote!(::weir::Result::Ok(#call)), quote!(<#returned as ::weir::Shape>::validator()))
}

/// Whether a type is a `Result`, or an alias of one by its name and parameters.
fn is_result(returned: &Type) -> bool {
    let Type::Path(path) = returned else {
        return false;
    };
    path.path.segments.last().is_some_and(|last| {
        last.ident == "Result" || (last.ident.to_string().ends_with("Result") && !last.arguments.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_error(options: &str, item: &str, expected: &str) {
        check_error_of(Kind::Query, options, item, expected);
    }

    fn check_error_of(kind: Kind, options: &str, item: &str, expected: &str) {
        let error = expand(kind, options.parse().unwrap(), item.parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains(expected), "{options} {item}: {error}");
    }

    #[test]
    fn what_cannot_be_a_function_is_said() {
        let cases = [
            ("fn f() {}", "the first parameter of a query is `ctx: &QueryCtx`"),
            ("fn f(ctx: QueryCtx) {}", "the first parameter of a query is `ctx: &QueryCtx`"),
            ("fn f(&self) {}", "the first parameter of a query"),
            ("async fn f(ctx: &QueryCtx) {}", "remove `async`"),
            ("fn f<T>(ctx: &QueryCtx, x: T) {}", "cannot be generic"),
            ("fn f(ctx: &QueryCtx, (a, b): (u8, u8)) {}", "give this parameter a name"),
            ("fn f(ctx: &QueryCtx, _: u8) {}", "give this parameter a name"),
            ("fn f(ctx: &QueryCtx, a: &mut u8) {}", "`&mut`"),
            ("fn f(ctx: &QueryCtx, a: Option<&str>) {}", "use `String`"),
            ("fn f(ctx: &QueryCtx, a: (u8, [&u8; 2])) {}", "not a part of it"),
            ("struct NoFunction;", "expected `fn`"),
        ];
        for (item, expected) in cases {
            check_error("", item, expected);
        }
    }

    #[test]
    fn what_cannot_be_an_option_is_said() {
        let cases = [
            ("public", "expected `#[query(internal)]`"),
            ("name", "expected `=`"),
            ("name = \"a b\"", "ASCII letters"),
            ("name = \"1a\"", "ASCII letters"),
            ("name = \"\"", "ASCII letters"),
        ];
        for (options, expected) in cases {
            check_error(options, "fn f(ctx: &QueryCtx) {}", expected);
        }
    }

    #[test]
    fn what_cannot_be_an_action_is_said() {
        let cases = [
            ("fn f(ctx: &ActionCtx) {}", "an action waits for the world; make it an `async fn`"),
            ("async fn f(ctx: &mut ActionCtx) {}", "the first parameter of an action is `ctx: &ActionCtx`"),
            ("async fn f() {}", "the first parameter of an action is `ctx: &ActionCtx`"),
        ];
        for (item, expected) in cases {
            check_error_of(Kind::Action, "", item, expected);
        }
        let good = "async fn f(ctx: &ActionCtx, request: Request) -> Response {}";
        let route = r#"method = "POST", path = "/f""#;
        let cases = [
            (route, "async fn f(ctx: &ActionCtx) {}", "an HTTP action takes the request"),
            (route, "async fn f(ctx: &ActionCtx, request: &Request) {}", "by value"),
            ("", good, "give it a route"),
            (r#"method = "POST""#, good, "give it a route"),
            (r#"path = "/f""#, good, "give it a route"),
            (r#"method = "post", path = "/f""#, good, "one of DELETE, GET"),
            (r#"method = "POST", path = "f""#, good, "begins with a `/`"),
            (r#"method = "POST", path_prefix = "/f""#, good, "ends with a `/`"),
            (r#"method = "POST", path = "/f", path_prefix = "/f/""#, good, "give it a route"),
            ("internal", good, "expected `method`"),
        ];
        for (options, item, expected) in cases {
            check_error_of(Kind::HttpAction, options, item, expected);
        }
    }

    #[test]
    fn the_function_stays_as_it_is() {
        let item = quote!(
            /// Says hello.
            pub(crate) fn say_hello(ctx: &QueryCtx, first_name: &str) -> String {
                greet(first_name)
            }
        );
        let expanded = expand(Kind::Query, quote!(internal), item.clone()).unwrap().to_string();
        assert!(expanded.starts_with(&item.to_string()), "{expanded}");
        for part in ["\"sayHello\"", "\"firstName\"", "\"internal\"", "\"query\""] {
            assert!(expanded.contains(part), "{part} is not in {expanded}");
        }
    }
}
