//! Snapshots that depend on variables, in each language whose top-level code runs when it is built.

mod support;

use support::{assert_is_guest, build_quietly, link_packages, project_with, repository};
use weir_build::snapshots::{Made, Reads, Values, make};
use weir_build::{Project, typescript_cache_folder};

/// A value that no toolchain has in its output by itself.
const VALUE: &str = "needle-4711";

fn values(of: &[(&str, &str)]) -> Values {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn names(of: &[&str]) -> Reads {
    Reads { names: of.iter().map(|name| (*name).to_owned()).collect(), all: false }
}

/// Whether a text stands in a component's memory, in whichever encoding.
fn holds(component: &[u8], text: &str) -> bool {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let is_in = |bytes: &[u8]| component.windows(bytes.len()).any(|window| window == bytes);
    is_in(text.as_bytes()) || is_in(&wide)
}

fn go(text: &str) -> (tempfile::TempDir, Project) {
    let sdk = repository("guest-sdk/go").display().to_string();
    let go_mod =
        format!("module guest\n\ngo 1.24\n\nrequire weir.dev/go v0.1.0\n\nreplace weir.dev/go => {sdk}\n");
    let text = format!(
        "package main\n\nimport \"weir.dev/go\"\n\n{text}\n\nfunc f(*weir.QueryCtx) (string, error) {{ return top, nil }}\n\n\
         func init() {{ weir.Query(\"guest:f\", f) }}\n\nfunc main() {{}}\n"
    );
    project_with("go", &[("go.mod", &go_mod), ("guest.go", &text)])
}

fn assemblyscript(text: &str) -> (tempfile::TempDir, Project) {
    let text = format!(
        "import {{ env, QueryCtx }} from \"@weir/assemblyscript\";\n{text}\n@query\nexport function f(ctx: QueryCtx): string {{\n  \
         return top;\n}}\n"
    );
    let files = [("package.json", r#"{"name":"guest"}"#), ("assembly/guest.ts", text.as_str())];
    let (folder, project) = project_with("assemblyscript", &files);
    link_packages(&folder);
    (folder, project)
}

fn typescript(text: &str) -> (tempfile::TempDir, Project) {
    let text = format!(
        "import {{ query }} from \"./_generated/server\";\n{text}\nexport const f = query({{ args: {{}}, handler: () => top }});\n"
    );
    let (folder, project) = project_with("typescript", &[("convex/guest.ts", &text)]);
    link_packages(&folder);
    (folder, project)
}

fn made(component: &[u8], of: &[(&str, &str)]) -> Made {
    make(component, &values(of), typescript_cache_folder().as_deref()).unwrap()
}

fn error(component: &[u8], of: &[(&str, &str)]) -> String {
    make(component, &values(of), typescript_cache_folder().as_deref()).unwrap_err().to_string()
}

/// A module whose top-level code keeps the value of `TOP`, and reads `MORE` if that is `more`.
fn follows_its_variables((folder, project): (tempfile::TempDir, Project)) {
    let (built, lines) = build_quietly(&project, None);
    let lines = lines.join("\n");
    let built = built.unwrap_or_else(|error| panic!("{error}\n{lines}")).remove(0).component;
    drop(folder);
    assert!(lines.contains("its top-level code reads TOP"), "{lines}");
    assert_is_guest(&built);
    let absent = made(&built, &[("OTHER", VALUE)]);
    assert!(absent.component.is_none() && absent.reads == names(&["TOP"]), "it was built without one");

    let with = made(&built, &[("TOP", VALUE), ("OTHER", "1")]);
    let component = with.component.expect("it is another one");
    assert_is_guest(&component);
    assert!(holds(&component, VALUE) && !holds(&built, VALUE));
    assert!(made(&component, &[("TOP", VALUE), ("OTHER", "2")]).component.is_none());
    assert!(made(&built, &[("TOP", VALUE)]).component.unwrap() == component, "equal values give equal bytes");

    let more = made(&component, &[("TOP", "more"), ("MORE", "1")]);
    assert_eq!(more.reads, names(&["MORE", "TOP"]));
    let more = more.component.unwrap();
    assert!(!holds(&more, VALUE), "nothing is left of the value before");
    assert!(made(&more, &[("TOP", "more"), ("MORE", "2")]).component.is_some());
    assert!(made(&more, &[]).component.unwrap() == built, "it is what it was");
}

/// A module whose top-level code fails without `TOP`, and with `bad-value`, of which it tells.
fn may_fail((folder, project): (tempfile::TempDir, Project)) {
    let (built, lines) = build_quietly(&project, None);
    let lines = lines.join("\n");
    let built = built.unwrap_or_else(|error| panic!("{error}\n{lines}")).remove(0).component;
    drop(folder);
    assert!(lines.contains("fails without a value of TOP"), "{lines}");
    let absent = error(&built, &[]);
    assert!(absent.contains("TOP is missing"), "{absent}");
    let bad = error(&built, &[("TOP", "bad-value")]);
    assert!(bad.contains("refused: [TOP]") && !bad.contains("bad-value"), "{bad}");
    let component = made(&built, &[("TOP", VALUE)]).component.expect("it is made now");
    assert_is_guest(&component);
    assert!(holds(&component, VALUE));
}

#[test]
fn go_follows_its_variables() {
    follows_its_variables(go(
        "var top, _ = weir.Env(\"TOP\")\n\nfunc init() {\n\tif top == \"more\" {\n\t\t_, _ = weir.Env(\"MORE\")\n\t}\n}",
    ));
}

#[test]
fn go_may_fail() {
    may_fail(go(
        "var top = must(weir.Env(\"TOP\"))\n\nfunc must(value string, ok bool) string {\n\tif !ok {\n\t\tpanic(\"TOP is \
         missing\")\n\t}\n\tif value == \"bad-value\" {\n\t\tpanic(\"refused: \" + value)\n\t}\n\treturn value\n}",
    ));
}

#[test]
fn assemblyscript_follows_its_variables() {
    follows_its_variables(assemblyscript(
        "const found = env(\"TOP\");\nconst top: string = found === null ? \"\" : found!;\nif (top == \"more\") env(\"MORE\");",
    ));
}

#[test]
fn assemblyscript_may_fail() {
    may_fail(assemblyscript(
        "const found = env(\"TOP\");\nif (found === null) throw new Error(\"TOP is missing\");\nconst top: string = \
         found!;\nif (top == \"bad-value\") throw new Error(\"refused: \" + top);",
    ));
}

#[test]
fn typescript_follows_its_variables() {
    follows_its_variables(typescript(
        "const top = process.env.TOP ?? null;\nif (top === \"more\") void process.env.MORE;",
    ));
}

#[test]
fn typescript_may_fail() {
    may_fail(typescript(
        "const { TOP: top } = process.env;\nif (top === undefined) throw new Error(\"TOP is missing\");\nif (top === \
         \"bad-value\") throw new Error(`refused: ${top}`);",
    ));
}

#[test]
fn all_variables_can_be_read_at_once() {
    let (_folder, project) = typescript("const top = Object.entries(process.env).join();");
    let built = build_quietly(&project, None).0.unwrap().remove(0).component;
    let component = made(&built, &[("A", VALUE)]);
    assert!(component.reads.all);
    let component = component.component.unwrap();
    assert!(holds(&component, VALUE));
    assert!(made(&component, &[("A", VALUE)]).component.is_none());
    assert!(made(&component, &[("A", VALUE), ("B", "")]).component.is_some());
}

#[test]
fn top_level_code_that_reads_none_has_nothing_to_be_made_of() {
    let cases = [
        go("var top = \"1\""),
        assemblyscript("const top: string = \"1\"; function unused(): void { env(\"A\"); }"),
        typescript("const top = 1; function unused() { return process.env.A; }"),
    ];
    for (_folder, project) in cases {
        let built = build_quietly(&project, None).0.unwrap().remove(0).component;
        assert!(!holds(&built, "weir:snapshot"));
        let same = made(&built, &[("A", "1")]);
        assert!(same.component.is_none() && same.reads.is_empty());
    }
}

#[test]
fn what_is_no_component_or_damaged_is_not_made() {
    for bytes in [&b""[..], b"no component", b"\0asm\x0d\0\x01\0"] {
        let same = made(bytes, &[("A", "1")]);
        assert!(same.component.is_none() && same.reads.is_empty());
    }
    let (_folder, project) = go("var top, _ = weir.Env(\"TOP\")");
    let built = build_quietly(&project, None).0.unwrap().remove(0).component;
    let at = built.windows(13).position(|window| window == b"weir:snapshot").unwrap();
    for (offset, byte) in [(13, 9), (40, b'?'), (built.len() - at - 1, 0)] {
        let mut damaged = built.clone();
        assert_ne!(damaged[at + offset], byte);
        damaged[at + offset] = byte;
        let error = error(&damaged, &[("TOP", "1")]);
        assert!(error.contains("damaged"), "{offset}: {error}");
    }
}
