//! `#[value]` and `#[document]`: the derives that a type needs, in one attribute.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, LitStr, Result};

pub(crate) fn expand_value(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !options.is_empty() {
        return Err(Error::new_spanned(options, "`#[value]` has no options"));
    }
    derive_all(&syn::parse2(item)?)
}

pub(crate) fn expand_document(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let table: LitStr = syn::parse2(options).map_err(|error| {
        Error::new(error.span(), "name the documents' table: `#[document(\"messages\")]`")
    })?;
    check_table(&table)?;
    let input: DeriveInput = syn::parse2(item)?;
    let derived = derive_all(&input)?;
    let ident = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        #derived
        impl #impl_generics ::weir::Table for #ident #type_generics #where_clause {
            const TABLE: &'static str = #table;
        }
    })
}

fn derive_all(input: &DeriveInput) -> Result<TokenStream> {
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

fn check_table(table: &LitStr) -> Result<()> {
    let name = table.value();
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if starts_well && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return Ok(());
    }
    Err(Error::new(
        table.span(),
        "a table's name is made of ASCII letters, digits and `_`, and begins with a letter",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_needs_a_table() {
        let item = || {
            quote!(
                struct Message {
                    body: String,
                }
            )
        };
        for (options, expected) in [
            (quote!(), "name the documents' table"),
            (quote!(messages), "name the documents' table"),
            (quote!("my messages"), "a table's name"),
            (quote!("_messages"), "a table's name"),
            (quote!(""), "a table's name"),
        ] {
            let error = expand_document(options.clone(), item()).unwrap_err().to_string();
            assert!(error.contains(expected), "{options}: {error}");
        }
        assert!(expand_document(quote!("messages"), item()).is_ok());
        assert!(expand_value(quote!("messages"), item()).is_err());
        assert!(expand_value(quote!(), quote!(union U { a: u8 })).is_err());
    }
}
