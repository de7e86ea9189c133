//! `#[document]`: a value that has a table, and the table's declaration.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{DeriveInput, Error, Ident, LitStr, Result, Token};

use crate::index::{self, Index};
use crate::value::derive_all;

/// What stands in the parentheses.
struct Options {
    table: LitStr,
    indexes: Vec<Index>,
    is_undeclared: bool,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Options> {
        let table: LitStr = input.parse().map_err(|error| {
            Error::new(error.span(), "name the documents' table: `#[document(\"messages\")]`")
        })?;
        check_table(&table)?;
        let mut options = Options { table, indexes: Vec::new(), is_undeclared: false };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                options.read_one(input)?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn read_one(&mut self, input: ParseStream<'_>) -> Result<()> {
        let name: Ident = input.parse()?;
        match name.to_string().as_str() {
            "index" => self.indexes.extend(Index::parse_list(input, false)?),
            "staged_index" => self.indexes.extend(Index::parse_list(input, true)?),
            "undeclared" => self.is_undeclared = true,
            _ => {
                let text =
                    "expected `index(by_name = [field])`, `staged_index(by_name = [field])` or `undeclared`";
                return Err(Error::new(name.span(), text));
            }
        }
        Ok(())
    }
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options: Options = syn::parse2(options)?;
    let input: DeriveInput = syn::parse2(item)?;
    let derived = derive_all(&input)?;
    let declared = declaration(&options, &input)?;
    let (ident, table) = (&input.ident, &options.table);
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        #derived
        impl #impl_generics ::weir::Table for #ident #type_generics #where_clause {
            const TABLE: &'static str = #table;
        }
        #declared
    })
}

/// What registers the table, and the constants of its indexes.
fn declaration(options: &Options, input: &DeriveInput) -> Result<TokenStream> {
    let is_generic = !input.generics.params.is_empty();
    if let (Some(first), true) = (options.indexes.first(), is_generic || options.is_undeclared) {
        let text = match is_generic {
            true => "a generic type cannot declare a table: put its indexes at a type without parameters",
            false => "an undeclared table has no indexes here: they are where it is declared",
        };
        return Err(Error::new(first.name.span(), text));
    }
    if is_generic || options.is_undeclared {
        return Ok(TokenStream::new());
    }
    index::check_names(&options.indexes)?;
    let (ident, table) = (&input.ident, &options.table);
    let resolved = options.indexes.iter().map(|index| index.resolve(input)).collect::<Result<Vec<_>>>()?;
    let constants = resolved.iter().map(|index| index.constant(&input.vis, ident));
    let declared = resolved.iter().map(index::Resolved::declaration);
    Ok(quote! {
        impl #ident {
            #(#constants)*
        }
        const _: () = {
            ::weir::__private::inventory::submit! {
                ::weir::__private::DeclaredTable {
                    name: #table,
                    holder: ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#ident)),
                    document: <#ident as ::weir::Shape>::validator,
                    indexes: &[#(#declared),*],
                }
            }
        };
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

    fn item() -> TokenStream {
        quote!(
            #[serde(rename_all = "camelCase")]
            struct Message {
                body: String,
                sent_at: f64,
                meta: Option<Meta>,
            }
        )
    }

    #[test]
    fn what_cannot_be_declared_is_said() {
        let cases = [
            ("", "name the documents' table"),
            ("messages", "name the documents' table"),
            ("\"my messages\"", "a table's name"),
            ("\"_messages\"", "a table's name"),
            ("\"\"", "a table's name"),
            ("\"m\", indexed", "expected `index"),
            ("\"m\" index(a = [body])", "expected `,`"),
            ("\"m\", index(by_body = [bdy])", "`Message` has no field `bdy`; it has body, sentAt, meta"),
            ("\"m\", index(by_body = [\"sent_at\"])", "`Message` has no field `sent_at`"),
            ("\"m\", index(by_body = [])", "name at least one field"),
            ("\"m\", index(by_body = [body, body])", "`body` stands in the index twice"),
            ("\"m\", index(by_time = [_creationTime])", "leave it out"),
            ("\"m\", index(by_it = [_id])", "by_id"),
            ("\"m\", index(by_id = [body])", "every table has an index of this name"),
            ("\"m\", index(a = [body]), staged_index(a = [meta])", "two indexes of the name `a`"),
            ("\"m\", index(by_body = body)", "square brackets"),
            ("\"m\", index(_by = [body])", "begins with a letter"),
            ("\"m\", undeclared, index(a = [body])", "an undeclared table has no indexes here"),
        ];
        for (options, expected) in cases {
            let error = expand(options.parse().unwrap(), item()).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expected), "{options}: {error}");
        }
        let generic = quote!(
            struct Page<T> {
                items: Vec<T>,
            }
        );
        assert!(expand(quote!("pages"), generic.clone()).is_ok());
        let error = expand(quote!("pages", index(a = [items])), generic).unwrap_err().to_string();
        assert!(error.contains("a generic type"), "{error}");
    }

    #[test]
    fn indexes_become_constants_with_the_names_and_types_of_their_fields() {
        let options = quote!("m", index(by_body_time = [body, sent_at]), index(byOwner = [meta.owner]));
        let expanded = expand(options, item()).unwrap().to_string();
        for part in [
            "const BY_BODY_TIME : :: weir :: db :: Index < Message , (String , (f64 , (f64 , ()))) >",
            "& [\"body\" , \"sentAt\" , \"_creationTime\"]",
            "const BY_OWNER : :: weir :: db :: Index < Message , (:: weir :: db :: AnyField , (f64 , ())) >",
            "& [\"meta.owner\"]",
        ] {
            assert!(expanded.contains(part), "{part} is not in {expanded}");
        }
        let staged = expand(quote!("m", staged_index(by_body = [body])), item()).unwrap().to_string();
        assert!(staged.contains("staged : true") && !staged.contains("BY_BODY"), "{staged}");
        let undeclared = expand(quote!("m", undeclared), item()).unwrap().to_string();
        assert!(!undeclared.contains("DeclaredTable"), "{undeclared}");
    }
}
