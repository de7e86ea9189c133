//! Names: paths of functions and of components, ids, timestamps, versions of clients; each line is tried as each.

use weir_sync::protocol::ClientInfo;
use weir_value::function_path::FunctionAddress;
use weir_value::{ComponentPath, DocumentId, FunctionPath, Timestamp, names};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "paths",
    run,
    dictionary: &[
        ":",
        "/",
        ".js",
        ";",
        "default",
        "_reference/childComponent/",
        "function://",
        "_system",
        "npm-",
        "rust-",
        "-alpha.1",
        "+",
        "1.48.0",
        "=",
        "AAAAAAAAAAA=",
        "%",
        "\\",
        "..",
        "é",
        "\0",
    ],
    bytes_max: 4096,
    rounds: 15_000,
    is_in_process: true,
};

fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for line in text.lines().take(16) {
        function_path(line);
        component_path(line);
        id(line);
        others(line);
    }
}

fn function_path(text: &str) {
    for path in [FunctionPath::parse(text), FunctionPath::parse_url(text)].into_iter().flatten() {
        assert!(path.component().is_app(), "no client names a component in a path");
        assert_eq!(FunctionPath::parse(&path.to_string()).as_ref(), Ok(&path), "one form: {text:?}");
        assert_eq!(path.local(), path.to_string());
        if !path.module().starts_with("_reference/") {
            assert_eq!(FunctionAddress::parse(&path.to_string()), Ok(FunctionAddress::Own(path)));
        }
    }
    if let Ok(path) = FunctionPath::parse_qualified(text) {
        assert_eq!(
            FunctionPath::parse_qualified(&path.to_string()).as_ref(),
            Ok(&path),
            "one form: {text:?}"
        );
    }
    if let Ok(address) = FunctionAddress::parse(text)
        && let Ok(path) = address.resolve(&ComponentPath::APP)
    {
        assert_eq!(FunctionPath::parse_qualified(&path.to_string()).as_ref(), Ok(&path), "{text:?}");
    }
}

fn component_path(text: &str) {
    let Ok(path) = ComponentPath::parse(text) else { return };
    assert_eq!(path.as_str(), text, "one form");
    assert_eq!(path.is_app(), text.is_empty());
    if let Some((parent, name)) = path.parent() {
        assert_eq!(parent.child(name).as_ref(), Ok(&path));
    }
}

fn id(text: &str) {
    let Ok(id) = DocumentId::parse(text) else { return };
    assert_eq!(id.to_string(), text, "an id has one spelling");
    assert_eq!(DocumentId::parse(&id.to_string()), Ok(id));
}

fn others(text: &str) {
    if let Ok(ts) = Timestamp::from_base64(text) {
        assert_eq!(ts.to_base64(), text, "a timestamp has one spelling");
    }
    for client in [ClientInfo::from_header(text), ClientInfo::from_path_version(text)].into_iter().flatten() {
        assert_eq!(client.name().to_ascii_lowercase(), client.name());
    }
    for error in
        [names::check_table_name(text), names::check_field_name(text)].into_iter().filter_map(Result::err)
    {
        assert!(!error.to_string().is_empty());
    }
    if names::check_document_field_name(text).is_ok() {
        assert!(names::check_field_name(text).is_ok(), "the names of documents' fields are names of fields");
    }
}
