//! Those of serde's attributes that change what a type looks like as JSON.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, LitStr, Result, Token};

use crate::case::Case;

/// What stands at a type, a variant or a field. Each is valid in some of these
/// places; serde's own derive refuses it in the others.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) rename_all_fields: Option<Case>,
    pub(crate) tag: Option<String>,
    pub(crate) content: Option<String>,
    pub(crate) is_untagged: bool,
    pub(crate) is_transparent: bool,
    pub(crate) is_flattened: bool,
    /// Neither written nor read.
    pub(crate) is_skipped: bool,
    /// It may be missing: by `default`, or because it is not always written.
    pub(crate) may_be_missing: bool,
    /// It goes through other code, so nothing is known of what it looks like.
    pub(crate) is_custom: bool,
}

impl Attributes {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Attributes> {
        let mut found = Attributes::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| found.add(&meta))?;
        }
        Ok(found)
    }

    fn add(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let name = meta.path.require_ident()?.to_string();
        match name.as_str() {
            "rename" => self.rename = Some(text(meta)?),
            "rename_all" => self.rename_all = Some(case(meta)?),
            "rename_all_fields" => self.rename_all_fields = Some(case(meta)?),
            "tag" => self.tag = Some(text(meta)?),
            "content" => self.content = Some(text(meta)?),
            "untagged" => self.is_untagged = true,
            "transparent" => self.is_transparent = true,
            "flatten" => self.is_flattened = true,
            "skip" => self.is_skipped = true,
            "default" | "skip_serializing_if" | "skip_serializing" | "skip_deserializing" => {
                self.may_be_missing = true;
                skip_value(meta)?;
            }
            "with" | "serialize_with" | "deserialize_with" | "from" | "try_from" | "into" | "remote"
            | "other" => {
                self.is_custom = true;
                skip_value(meta)?;
            }
            _ => skip_value(meta)?,
        }
        Ok(())
    }
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<String> {
    if meta.input.peek(syn::token::Paren) {
        return Err(meta.error("one name for reading and another for writing has no shape; use one"));
    }
    Ok(meta.value()?.parse::<LitStr>()?.value())
}

fn case(meta: &ParseNestedMeta<'_>) -> Result<Case> {
    let name = text(meta)?;
    Case::from_serde(&name).ok_or_else(|| meta.error("this case is not known"))
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let inner;
        syn::parenthesized!(inner in meta.input);
        inner.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}
