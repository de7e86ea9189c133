//! What a component offers, freed from any language: its functions as a tree of modules, and validators as types.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::manifest::Function;

/// The type of what a validator lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    /// A number of 64 bits, with a fraction.
    Number,
    /// An integer of 64 bits.
    Integer,
    Text,
    Bytes,
    /// Whatever a language has for values without a type: `any`, and a union of what no language has a type for.
    Any,
    List(Box<Type>),
    /// Values by names.
    Record(Box<Type>),
    /// One, or null.
    Nullable(Box<Type>),
    /// One of these texts: a union of literals. In their order in the validator, each once.
    Choice(Vec<String>),
    /// Fields, sorted by their names.
    Object(Vec<Field>),
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// As it stands in JSON.
    pub(super) name: String,
    pub(super) type_: Type,
    /// Whether it may be missing.
    pub(super) is_optional: bool,
}

impl Type {
    /// The type of a validator in Convex's JSON form; `None` is that of a function that has none. Ids are texts: they are
    /// another component's.
    pub(super) fn of(validator: Option<&Json>) -> Type {
        let Some(validator) = validator else { return Type::Any };
        let inner = |name: &str| Box::new(Type::of(validator.get(name)));
        match validator["type"].as_str().unwrap_or_default() {
            "null" => Type::Null,
            "number" => Type::Number,
            "bigint" => Type::Integer,
            "boolean" => Type::Boolean,
            "string" | "id" => Type::Text,
            "bytes" => Type::Bytes,
            "literal" => Type::of_literal(&validator["value"]),
            "array" => Type::List(inner("value")),
            "record" => Type::Record(Box::new(Type::of(validator["values"].get("fieldType")))),
            "union" => Type::of_union(&validator["value"]),
            "object" => Type::of_object(&validator["value"]),
            _ => Type::Any,
        }
    }

    fn of_literal(value: &Json) -> Type {
        match value {
            Json::Null => Type::Null,
            Json::Bool(_) => Type::Boolean,
            Json::String(text) => Type::Choice(vec![text.clone()]),
            Json::Object(encoded) if encoded.contains_key("$integer") => Type::Integer,
            Json::Number(_) | Json::Object(_) => Type::Number,
            Json::Array(_) => Type::Any,
        }
    }

    fn of_union(members: &Json) -> Type {
        let mut flat = Vec::new();
        for member in members.as_array().into_iter().flatten() {
            match Type::of(Some(member)) {
                Type::Nullable(inner) => flat.extend([*inner, Type::Null]),
                type_ => flat.push(type_),
            }
        }
        let has_null = flat.contains(&Type::Null);
        flat.retain(|type_| *type_ != Type::Null);
        let merged = flat.into_iter().map(Some).reduce(|all, one| Type::both(all?, one?));
        match merged {
            Some(Some(Type::Any)) => Type::Any,
            Some(Some(type_)) if has_null => Type::Nullable(Box::new(type_)),
            Some(Some(type_)) => type_,
            None if has_null => Type::Null,
            // Types that no one type is for; or a union of nothing, which no value fits.
            Some(None) | None => Type::Any,
        }
    }

    /// The type of what is one or the other; `None`: there is none.
    fn both(one: Type, other: Type) -> Option<Type> {
        match (one, other) {
            (Type::Choice(mut texts), Type::Choice(more)) => {
                texts.extend(more);
                let mut seen = std::collections::BTreeSet::new();
                texts.retain(|text| seen.insert(text.clone()));
                Some(Type::Choice(texts))
            }
            (Type::Text, Type::Choice(_)) | (Type::Choice(_), Type::Text) => Some(Type::Text),
            (one, other) => (one == other).then_some(one),
        }
    }

    fn of_object(fields: &Json) -> Type {
        let field = |(name, field): (&String, &Json)| Field {
            name: name.clone(),
            type_: Type::of(field.get("fieldType")),
            is_optional: field["optional"] == Json::Bool(true),
        };
        let mut fields: Vec<_> = fields.as_object().into_iter().flatten().map(field).collect();
        fields.sort_by(|one, other| one.name.cmp(&other.name));
        Type::Object(fields)
    }

    /// Whether these are the arguments of a function that takes none.
    pub(super) fn is_empty_object(&self) -> bool {
        matches!(self, Type::Object(fields) if fields.is_empty())
    }
}

/// What is mounted in the app.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mount {
    /// Its name in the app.
    pub(crate) name: String,
    /// Its functions; `None`: they are not known before a deployment.
    pub(crate) functions: Option<Vec<Function>>,
}

/// The kinds of functions that can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Mutation,
    Action,
}

impl Kind {
    /// As a manifest has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Query => "query",
            Kind::Mutation => "mutation",
            Kind::Action => "action",
        }
    }

    /// The SDKs' types of references to it.
    pub(super) fn reference(self) -> &'static str {
        match self {
            Kind::Query => "QueryReference",
            Kind::Mutation => "MutationReference",
            Kind::Action => "ActionReference",
        }
    }
}

/// A function that who mounts the component may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) kind: Kind,
    /// Its path in the component, `folder/module:name`, as people write it.
    pub(super) title: String,
    /// Its path for who mounts it.
    pub(super) path: String,
    pub(super) args: Type,
    pub(super) result: Type,
}

/// Functions by their names, and modules by theirs.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) modules: BTreeMap<String, Tree>,
    pub(super) functions: BTreeMap<String, Reference>,
}

impl Tree {
    /// The public functions of what is mounted.
    pub(super) fn of(mount: &Mount) -> Tree {
        let mut tree = Tree::default();
        for function in mount.functions.iter().flatten().filter(|function| function.visibility == "public") {
            let kind = match function.kind.as_str() {
                "query" => Kind::Query,
                "mutation" => Kind::Mutation,
                "action" => Kind::Action,
                _ => continue,
            };
            let (module, name) = function.module_and_name();
            let reference = Reference {
                kind,
                title: function.path.clone(),
                path: format!("_reference/childComponent/{}/{module}/{name}", mount.name),
                args: Type::of(function.args()),
                result: Type::of(function.returns()),
            };
            let parts = module.split('/');
            let branch = parts.fold(&mut tree, |tree, part| tree.modules.entry(part.to_owned()).or_default());
            branch.functions.insert(name.to_owned(), reference);
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn union(members: Json) -> Type {
        Type::of(Some(&json!({ "type": "union", "value": members })))
    }

    fn choice(texts: &[&str]) -> Type {
        Type::Choice(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn a_union_is_what_all_of_its_members_are() {
        let literal = |value: Json| json!({ "type": "literal", "value": value });
        let named = |name: &str| json!({ "type": name });
        let cases = [
            (json!([literal("b".into()), literal("a".into()), literal("b".into())]), choice(&["b", "a"])),
            (json!([literal("a".into()), named("null")]), Type::Nullable(Box::new(choice(&["a"])))),
            (json!([literal("a".into()), named("string")]), Type::Text),
            (json!([named("id"), named("string"), named("null")]), Type::Nullable(Box::new(Type::Text))),
            (json!([literal(1.into()), literal(2.5.into())]), Type::Number),
            (json!([literal(true.into()), literal(false.into())]), Type::Boolean),
            (json!([literal(json!({ "$integer": "AQAAAAAAAAA=" }))]), Type::Integer),
            (json!([named("number"), named("string")]), Type::Any),
            (json!([named("number"), named("string"), named("null")]), Type::Any),
            (json!([named("any"), named("null")]), Type::Any),
            (json!([named("null")]), Type::Null),
            (json!([]), Type::Any),
            (
                json!([{ "type": "union", "value": [named("number"), named("null")] }, named("number")]),
                Type::Nullable(Box::new(Type::Number)),
            ),
        ];
        for (members, expected) in cases {
            assert_eq!(union(members.clone()), expected, "{members}");
        }
    }

    #[test]
    fn what_is_not_known_is_anything() {
        assert_eq!(Type::of(None), Type::Any);
        assert_eq!(Type::of(Some(&json!({ "type": "of a later version" }))), Type::Any);
        assert_eq!(Type::of(Some(&json!({ "type": "array" }))), Type::List(Box::new(Type::Any)));
    }

    #[test]
    fn only_public_functions_are_offered_at_their_place() {
        let function = |path: &str, kind: &str, visibility: &str| Function {
            path: path.to_owned(),
            kind: kind.to_owned(),
            visibility: visibility.to_owned(),
            args: None,
            returns: None,
        };
        let functions = vec![
            function("a/b:c", "query", "public"),
            function("a:b", "mutation", "public"),
            function("a:hidden", "mutation", "internal"),
            function("http:h", "httpAction", "public"),
        ];
        let tree = Tree::of(&Mount { name: "m".to_owned(), functions: Some(functions) });
        assert_eq!(tree.modules.keys().collect::<Vec<_>>(), ["a"]);
        let a = &tree.modules["a"];
        assert_eq!(a.functions.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(a.modules["b"].functions["c"].path, "_reference/childComponent/m/a/b/c");
        assert_eq!(a.modules["b"].functions["c"].title, "a/b:c");
    }
}
