//! `#[value]`: the derives that a type needs, in one attribute.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Result};

pub(crate) fn expand_value(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !options.is_empty() {
        return Err(Error::new_spanned(options, "`#[value]` has no options"));
    }
    derive_all(&syn::parse2(item)?)
}

/// The derives of a value.
pub(crate) fn derive_all(input: &DeriveInput) -> Result<TokenStream> {
    if let syn::Data::Union(data) = &input.data {
        return Err(Error::new(
            data.union_token.span,
            "a union's value cannot be known; use a struct or an enum",
        ));
    }
    Ok(quote! {
        #[derive(
            ::weir::__private::serde::Serialize,
            ::weir::__private::serde::Deserialize,
            ::weir::Shape,
        )]
        #[serde(crate = "::weir::__private::serde")]
        #input
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_no_options_and_is_no_union() {
        let item = quote!(
            struct Message {
                body: String,
            }
        );
        assert!(expand_value(quote!(), item.clone()).is_ok());
        assert!(expand_value(quote!("messages"), item).is_err());
        assert!(expand_value(quote!(), quote!(union U { a: u8 })).is_err());
    }
}
