//! `#[derive(Shape)]`: a type's validator, as serde would write the type.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DataEnum, DeriveInput, Fields, Generics, Result, Variant, parse_quote};

use crate::case::Case;
use crate::serde_attributes::Attributes;

pub(crate) fn expand(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let attributes = Attributes::of(&input.attrs)?;
    let validator = match &input.data {
        _ if attributes.is_custom => quote!(::weir::Validator::Any),
        Data::Struct(data) => struct_validator(&attributes, &data.fields)?,
        Data::Enum(data) => enum_validator(&attributes, data)?,
        Data::Union(data) => {
            return Err(syn::Error::new(data.union_token.span, "a union has no shape"));
        }
    };
    let ident = &input.ident;
    let generics = with_bounds(input.generics.clone());
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        impl #impl_generics ::weir::Shape for #ident #type_generics #where_clause {
            fn validator() -> ::weir::Validator {
                ::weir::Validator::named(::core::any::type_name::<Self>(), || #validator)
            }
        }
    })
}

fn with_bounds(mut generics: Generics) -> Generics {
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::weir::Shape));
    }
    generics
}

fn struct_validator(attributes: &Attributes, fields: &Fields) -> Result<TokenStream> {
    let validator = fields_validator(fields, attributes.rename_all, attributes)?;
    Ok(match &attributes.tag {
        // A struct may carry its own name under a tag; it is not in the shape's sight.
        Some(tag) => {
            let field = quote!((#tag, <::std::string::String as ::weir::Shape>::field()));
            quote!(::weir::Validator::object([#field]).merged(#validator))
        }
        None => validator,
    })
}

/// The content of a struct or variant.
fn fields_validator(fields: &Fields, case: Option<Case>, of: &Attributes) -> Result<TokenStream> {
    match fields {
        Fields::Unit => Ok(quote!(::weir::Validator::Null)),
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => inner_validator(&fields.unnamed[0]),
        Fields::Unnamed(fields) => {
            let items = fields.unnamed.iter().map(inner_validator).collect::<Result<Vec<_>>>()?;
            Ok(
                quote!(::weir::Validator::Array(::std::boxed::Box::new(::weir::Validator::union([#(#items),*])))),
            )
        }
        Fields::Named(fields) if of.is_transparent && fields.named.len() == 1 => {
            inner_validator(&fields.named[0])
        }
        Fields::Named(fields) => named_validator(fields, case, of.may_be_missing),
    }
}

fn inner_validator(field: &syn::Field) -> Result<TokenStream> {
    let inner = &field.ty;
    let is_custom = Attributes::of(&field.attrs)?.is_custom;
    Ok(if is_custom {
        quote!(::weir::Validator::Any)
    } else {
        quote!(<#inner as ::weir::Shape>::validator())
    })
}

fn named_validator(fields: &syn::FieldsNamed, case: Option<Case>, all_optional: bool) -> Result<TokenStream> {
    let mut entries = Vec::new();
    let mut flattened = Vec::new();
    for field in &fields.named {
        let attributes = Attributes::of(&field.attrs)?;
        if attributes.is_skipped {
            continue;
        }
        let inner = &field.ty;
        if attributes.is_flattened {
            flattened.push(quote!(<#inner as ::weir::Shape>::validator()));
            continue;
        }
        let name = field_name(field, case, &attributes);
        let shape = match attributes.is_custom {
            true => quote!(<::weir::Value as ::weir::Shape>::field()),
            false => quote!(<#inner as ::weir::Shape>::field()),
        };
        let shape = match all_optional || attributes.may_be_missing {
            true => quote!(::weir::Field { optional: true, ..#shape }),
            false => shape,
        };
        entries.push(quote!((#name, #shape)));
    }
    Ok(quote!(::weir::Validator::object([#(#entries),*])#(.merged(#flattened))*))
}

/// The name of a field as JSON.
pub(crate) fn field_name(field: &syn::Field, case: Option<Case>, attributes: &Attributes) -> String {
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let name = name.strip_prefix("r#").unwrap_or(&name);
    match (&attributes.rename, case) {
        (Some(renamed), _) => renamed.clone(),
        (None, Some(case)) => case.of_field(name),
        (None, None) => name.to_owned(),
    }
}

fn enum_validator(attributes: &Attributes, data: &DataEnum) -> Result<TokenStream> {
    let mut members = Vec::new();
    for variant in &data.variants {
        let own = Attributes::of(&variant.attrs)?;
        if !own.is_skipped {
            members.push(variant_validator(attributes, &own, variant)?);
        }
    }
    Ok(quote!(::weir::Validator::union([#(#members),*])))
}

fn variant_validator(of: &Attributes, own: &Attributes, variant: &Variant) -> Result<TokenStream> {
    if own.is_custom {
        return Ok(quote!(::weir::Validator::Any));
    }
    let name = variant_name(of, own, variant);
    let literal = quote!(::weir::Validator::Literal(#name));
    let required = |validator: &TokenStream| quote!(::weir::Field { validator: #validator, optional: false });
    let content = fields_validator(&variant.fields, own.rename_all.or(of.rename_all_fields), own)?;
    let is_unit = matches!(variant.fields, Fields::Unit);
    if of.is_untagged || own.is_untagged {
        return Ok(content);
    }
    Ok(match (&of.tag, &of.content) {
        (None, _) if is_unit => literal,
        (None, _) => {
            let content = required(&content);
            quote!(::weir::Validator::object([(#name, #content)]))
        }
        (Some(tag), Some(key)) if !is_unit => {
            let (tag_field, content) = (required(&literal), required(&content));
            quote!(::weir::Validator::object([(#tag, #tag_field), (#key, #content)]))
        }
        (Some(tag), _) => {
            let tag_field = required(&literal);
            let tagged = quote!(::weir::Validator::object([(#tag, #tag_field)]));
            if is_unit { tagged } else { quote!(#tagged.merged(#content)) }
        }
    })
}

fn variant_name(of: &Attributes, own: &Attributes, variant: &Variant) -> String {
    let name = variant.ident.to_string();
    match (&own.rename, of.rename_all) {
        (Some(renamed), _) => renamed.clone(),
        (None, Some(case)) => case.of_variant(&name),
        (None, None) => name,
    }
}
