//! The macros of Weir's SDK for Rust; use them through the crate `weir`, whose
//! names their code refers to.
//!
//! **Invariant:** nothing here knows of the host. What a function or type is
//! called and shaped like is decided here; how it is run is the SDK's.

mod case;
mod document;
mod function;
mod index;
mod route;
mod serde_attributes;
mod shape;
mod value;

use proc_macro::TokenStream;

/// Makes a function a query: it reads, and clients can watch its result.
///
/// The first parameter is `ctx: &QueryCtx`; the others are the arguments, by
/// name. Options: `#[query(internal)]` keeps it from clients,
/// `#[query(name = "listAll")]` gives it another name than its own in camelCase.
#[proc_macro_attribute]
pub fn query(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(function::expand(function::Kind::Query, options.into(), item.into()))
}

/// Makes a function a mutation: it reads and writes, all or nothing.
///
/// The first parameter is `ctx: &MutationCtx` (or `&mut`); the others are the
/// arguments, by name. Options are those of `query`.
#[proc_macro_attribute]
pub fn mutation(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(function::expand(function::Kind::Mutation, options.into(), item.into()))
}

/// Makes a function an action: it waits for the world, and reads and writes by calling queries and mutations.
///
/// It is an `async fn`, whose first parameter is `ctx: &ActionCtx`; the others are the arguments, by name. Options are
/// those of `query`.
#[proc_macro_attribute]
pub fn action(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(function::expand(function::Kind::Action, options.into(), item.into()))
}

/// Makes a function an HTTP action: it answers HTTP requests.
///
/// `#[http_action(method = "POST", path = "/hook")] async fn hook(ctx: &ActionCtx, request: Request) -> Result<Response>`;
/// with `path_prefix = "/files/"` in place of `path`, all requests whose paths begin so. The method is one of `DELETE`,
/// `GET` (which answers `HEAD` too), `OPTIONS`, `PATCH`, `POST`, `PUT`. `name` is as for `query`.
#[proc_macro_attribute]
pub fn http_action(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(function::expand(function::Kind::HttpAction, options.into(), item.into()))
}

/// Makes the values of a struct or enum arguments, results, and parts of
/// documents: derives serde's `Serialize` and `Deserialize`, and `Shape`.
#[proc_macro_attribute]
pub fn value(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(value::expand_value(options.into(), item.into()))
}

/// Makes the values of a struct or enum the documents of a table: `#[document("messages")]` is `#[value]`, an `Id` of it
/// is one of that table, and the module's schema declares the table, so that the host holds every document that is
/// written to it against the type.
///
/// Options, behind the table's name:
/// - `index(by_team_rank = [team, rank], by_owner = [meta.owner])`: indexes. Their fields are those of the struct, and of
///   the objects in them; each index is a constant of the type, here `Task::BY_TEAM_RANK` and `Task::BY_OWNER`, for
///   `with_index`. A name in quotes is the field's name as JSON.
/// - `staged_index(by_title = [title])`: indexes that are built and cannot be read yet. They have no constant.
/// - `undeclared`: the type reads and writes documents of a table that another type or module declares, or none.
///
/// A generic type declares no table.
#[proc_macro_attribute]
pub fn document(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(document::expand(options.into(), item.into()))
}

/// Derives the validator of a type from its fields and serde attributes.
#[proc_macro_derive(Shape, attributes(serde))]
pub fn derive_shape(item: TokenStream) -> TokenStream {
    expand(shape::expand(item.into()))
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.into_compile_error()).into()
}
