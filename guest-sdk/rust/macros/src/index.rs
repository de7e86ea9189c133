//! The indexes in `#[document]`: their fields, checked against the type's, and the constants that they become.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{
    Data, DeriveInput, Error, Fields, Ident, LitStr, Result, Token, Visibility, bracketed, parenthesized,
};

use crate::case::Case;
use crate::serde_attributes::Attributes;
use crate::shape::field_name;

/// What every index ends with.
const CREATION_TIME: &str = "_creationTime";

/// An index as it is written: `by_team_rank = [team, rank]`.
pub(crate) struct Index {
    pub(crate) name: Ident,
    paths: Vec<Path>,
    is_staged: bool,
}

/// A field, or one within it: `meta.owner`.
struct Path {
    /// A field's name: that of the struct, or as JSON when it is in quotes.
    first: String,
    is_quoted: bool,
    /// What follows the first name, with its dot.
    rest: String,
    span: Span,
}

/// An index whose fields are known.
pub(crate) struct Resolved<'a> {
    index: &'a Index,
    /// As JSON names them.
    paths: Vec<String>,
    types: Vec<TokenStream>,
}

impl Index {
    /// Reads `(by_team_rank = [team, rank], ...)`.
    pub(crate) fn parse_list(input: ParseStream<'_>, is_staged: bool) -> Result<Vec<Index>> {
        let inner;
        parenthesized!(inner in input);
        let list = Punctuated::<Index, Token![,]>::parse_terminated_with(&inner, Index::parse)?;
        Ok(list.into_iter().map(|index| Index { is_staged, ..index }).collect())
    }

    fn parse(input: ParseStream<'_>) -> Result<Index> {
        let name: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        let inner;
        bracketed!(inner in input);
        let paths = Punctuated::<Path, Token![,]>::parse_terminated_with(&inner, Path::parse)?;
        let paths: Vec<Path> = paths.into_iter().collect();
        if paths.is_empty() {
            return Err(Error::new(name.span(), "name at least one field: `[field]`"));
        }
        Ok(Index { name, paths, is_staged: false })
    }

    /// Finds the fields in the type.
    pub(crate) fn resolve(&self, input: &DeriveInput) -> Result<Resolved<'_>> {
        let mut resolved = Resolved { index: self, paths: Vec::new(), types: Vec::new() };
        for path in &self.paths {
            let (name, field_type) = path.resolve(input)?;
            let name = name + &path.rest;
            if resolved.paths.contains(&name) {
                return Err(Error::new(path.span, format!("`{name}` stands in the index twice")));
            }
            resolved.paths.push(name);
            resolved.types.push(field_type);
        }
        Ok(resolved)
    }
}

impl Path {
    fn parse(input: ParseStream<'_>) -> Result<Path> {
        let path = Path::parse_names(input)?;
        let problem = match path.first.as_str() {
            CREATION_TIME => "`_creationTime` is the last field of every index: leave it out",
            "_id" => "`_id` cannot be a field of an index: use the index `by_id`",
            _ => return Ok(path),
        };
        Err(Error::new(path.span, problem))
    }

    fn parse_names(input: ParseStream<'_>) -> Result<Path> {
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            let value = text.value();
            let (first, rest) = value.split_at(value.find('.').unwrap_or(value.len()));
            return Ok(Path {
                first: first.to_owned(),
                is_quoted: true,
                rest: rest.to_owned(),
                span: text.span(),
            });
        }
        let first = Ident::parse_any(input)?;
        let mut rest = String::new();
        while input.peek(Token![.]) {
            input.parse::<Token![.]>()?;
            rest += &format!(".{}", Ident::parse_any(input)?.unraw());
        }
        Ok(Path { first: first.unraw().to_string(), is_quoted: false, rest, span: first.span() })
    }

    /// The first field's name as JSON, and the type that the whole path leads to.
    fn resolve(&self, input: &DeriveInput) -> Result<(String, TokenStream)> {
        let any = || quote!(::weir::db::AnyField);
        let Data::Struct(data) = &input.data else {
            // Its variants' fields are known when the validator is made, which is checked then.
            return Ok((self.first.clone(), any()));
        };
        let case = Attributes::of(&input.attrs)?.rename_all;
        let mut names = Vec::new();
        let mut is_open = !matches!(data.fields, Fields::Named(_));
        for field in &data.fields {
            let attributes = Attributes::of(&field.attrs)?;
            is_open |= attributes.is_flattened;
            if attributes.is_flattened || attributes.is_skipped {
                continue;
            }
            let name = field_name(field, case, &attributes);
            let is_meant = match (self.is_quoted, &field.ident) {
                (false, Some(ident)) => ident.unraw() == self.first,
                _ => name == self.first,
            };
            if is_meant {
                let field_type = &field.ty;
                let is_known = self.rest.is_empty() && !attributes.is_custom;
                return Ok((name, if is_known { quote!(#field_type) } else { any() }));
            }
            names.push(name);
        }
        if is_open {
            return Ok((self.first.clone(), any()));
        }
        let (holder, first, names) = (&input.ident, &self.first, names.join(", "));
        Err(Error::new(self.span, format!("`{holder}` has no field `{first}`; it has {names}")))
    }
}

impl Resolved<'_> {
    /// The constant by which queries name the index; a staged one cannot be read.
    pub(crate) fn constant(&self, visibility: &Visibility, holder: &Ident) -> TokenStream {
        if self.index.is_staged {
            return TokenStream::new();
        }
        let name = self.index.name.to_string();
        let constant =
            format_ident!("{}", Case::ScreamingSnake.of_variant(&name), span = self.index.name.span());
        let end = quote!((f64, ()));
        let types = self.types.iter().rev().fold(end, |rest, field_type| quote!((#field_type, #rest)));
        let paths = self.paths.iter().map(String::as_str).chain([CREATION_TIME]);
        let doc = format!("The index `{name}`.");
        quote! {
            #[doc = #doc]
            #[allow(dead_code, reason = "an index may be declared for others")]
            #[allow(clippy::type_complexity, reason = "the type is written for the compiler alone")]
            #visibility const #constant: ::weir::db::Index<#holder, #types> =
                ::weir::db::Index::new(#name, &[#(#paths),*]);
        }
    }

    pub(crate) fn declaration(&self) -> TokenStream {
        let (name, paths, is_staged) = (self.index.name.to_string(), &self.paths, self.index.is_staged);
        quote! {
            ::weir::__private::DeclaredIndex { name: #name, fields: &[#(#paths),*], staged: #is_staged }
        }
    }
}

/// Whether the names can be those of one table's indexes.
pub(crate) fn check_names(indexes: &[Index]) -> Result<()> {
    for (at, index) in indexes.iter().enumerate() {
        let name = index.name.to_string();
        let problem = if !name.is_ascii() || !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            "an index's name is made of ASCII letters, digits and `_`, and begins with a letter".to_owned()
        } else if ["by_id", "by_creation_time"].contains(&name.as_str()) {
            "the name is taken: every table has an index of this name".to_owned()
        } else if indexes[..at].iter().any(|other| other.name == index.name) {
            format!("the table has two indexes of the name `{name}`")
        } else {
            continue;
        };
        return Err(Error::new(index.name.span(), problem));
    }
    Ok(())
}
