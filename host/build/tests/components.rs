//! Components are found, checked and built: local ones, packages, and those that `host.toml` mounts.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value as Json, json};
use support::{assert_is_guest, build_whole, link_packages, repository};
use tempfile::TempDir;
use weir_build::{Built, Memory, Progress, Project, build_again, codegen};

const SERVER: &str =
    "import { mutation, query } from \"./_generated/server\";\nimport { v } from \"convex/values\";\n";

/// A project in TypeScript, with these files, and with `toml` behind its module in `host.toml`.
fn project_with(toml: &str, files: &[(&str, &str)]) -> (TempDir, Project) {
    let (folder, _) = support::project_with("typescript", files);
    let text = std::fs::read_to_string(folder.path().join("host.toml")).unwrap();
    std::fs::write(folder.path().join("host.toml"), format!("{text}{toml}")).unwrap();
    let project = Project::load(folder.path()).unwrap();
    (folder, project)
}

/// Gives a project the packages that a component needs, and a place for others.
fn link_convex(folder: &TempDir) {
    let modules = folder.path().join("node_modules");
    std::fs::create_dir_all(&modules).unwrap();
    for name in ["convex", "@weir"] {
        std::os::unix::fs::symlink(repository("node_modules").join(name), modules.join(name)).unwrap();
    }
}

fn build_well(project: &Project, out: Option<&Path>) -> Built {
    let (built, lines) = build_whole(project, out);
    built.unwrap_or_else(|error| panic!("{error}\n{}", lines.join("\n")))
}

/// What a build that fails says, in full.
fn refused(project: &Project) -> String {
    let (built, lines) = build_whole(project, None);
    let Err(error) = built else { panic!("it is built\n{}", lines.join("\n")) };
    format!("{}\n{error}", lines.join("\n"))
}

fn names(built: &Built) -> Vec<&str> {
    built.modules.iter().map(|module| module.name.as_str()).collect()
}

fn tree(built: &Built) -> Json {
    serde_json::to_value(&built.components).unwrap()
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

const QUERY: &str = "export const f = query({ args: { n: v.number() }, returns: v.id(\"t\"), handler: async () => \"\" as never });\n";

/// A component in a folder, with one more in it, mounted twice.
fn nested() -> Vec<(&'static str, String)> {
    vec![
        (
            "convex/convex.config.ts",
            "import { defineApp } from \"convex/server\";\nimport { v } from \"convex/values\";\n\
             import list from \"./waitlist/convex.config\";\n\
             const app = defineApp({ httpPrefix: \"/api\", env: { KEY: v.union(v.literal(\"a\"), v.literal(\"b\")) } });\n\
             app.use(list, { env: { KEY: app.env.KEY } });\n\
             app.use(list, { name: \"second\", httpPrefix: \"/second\", env: { KEY: \"b\" } });\nexport default app;\n"
                .to_owned(),
        ),
        ("convex/chat.ts", format!("{SERVER}{QUERY}")),
        (
            "convex/waitlist/convex.config.ts",
            "import { defineComponent } from \"convex/server\";\nimport { v } from \"convex/values\";\n\
             import mail from \"./mail/convex.config.js\";\n\
             const list = defineComponent(\"waitlist\", { env: { KEY: v.optional(v.string()) } });\n\
             list.use(mail);\nexport default list;\n"
                .to_owned(),
        ),
        ("convex/waitlist/entries.ts", format!("{SERVER}{QUERY}")),
        (
            "convex/waitlist/mail/convex.config.ts",
            "import { defineComponent } from \"convex/server\";\nexport default defineComponent(\"mail\");\n".to_owned(),
        ),
        ("convex/waitlist/mail/letters.ts", format!("{SERVER}{QUERY}")),
    ]
}

fn as_files<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    files.iter().map(|(name, text)| (*name, text.as_str())).collect()
}

#[test]
fn components_are_built_once_however_often_they_are_mounted() {
    let files = nested();
    let (folder, project) = project_with("", &as_files(&files));
    link_packages(&folder);
    let out = folder.path().join("out");
    let built = build_well(&project, Some(&out));
    assert_eq!(names(&built), ["guest", "convex_waitlist", "convex_waitlist_mail"]);
    built.modules.iter().for_each(|module| assert_is_guest(&module.component));
    let app = "convex/convex.config.ts";
    let expected = json!({
        "definitions": {
            "convex/waitlist": {
                "modules": ["convex_waitlist"],
                "variables": { "KEY": { "validator": { "type": "string" }, "optional": true } },
                "mounts": [{ "name": "mail", "definition": "convex/waitlist/mail",
                             "place": "convex/waitlist/convex.config.ts" }],
            },
            "convex/waitlist/mail": { "modules": ["convex_waitlist_mail"] },
        },
        "mounts": [
            { "name": "waitlist", "definition": "convex/waitlist", "place": app,
              "variables": { "KEY": { "variable": "KEY" } } },
            { "name": "second", "definition": "convex/waitlist", "place": app, "httpPrefix": "/second",
              "variables": { "KEY": { "value": "b" } } },
        ],
        "variables": { "KEY": { "validator": { "type": "union", "value": [
            { "type": "literal", "value": "a" }, { "type": "literal", "value": "b" }] } } },
        "httpPrefix": "/api/",
    });
    assert_eq!(tree(&built), expected);
    assert_eq!(serde_json::from_str::<Json>(&read(&folder, "out/components.json")).unwrap(), expected);
    assert!(out.join("convex_waitlist_mail.wasm").is_file());
    let root = &project.root;
    assert_eq!(built.folders, [root.join("convex/waitlist"), root.join("convex/waitlist/mail")]);

    // Without its config, nothing of it is left there.
    std::fs::remove_file(folder.path().join(app)).unwrap();
    let built = build_well(&project, Some(&out));
    assert!(built.components.is_empty() && !out.join("components.json").exists());
}

#[test]
fn generated_files_tell_what_components_offer() {
    let files = nested();
    let (folder, project) = project_with("", &as_files(&files));
    link_packages(&folder);
    let changed: BTreeSet<_> = codegen(&project, &mut |_| {}).unwrap().into_iter().collect();
    let file = |name: &str| project.root.join("convex").join(name);
    let of_component = ["api.ts", "component.ts", "dataModel.ts", "server.ts"];
    for component in ["waitlist", "waitlist/mail"] {
        for name in of_component {
            assert!(
                changed.contains(&file(&format!("{component}/_generated/{name}"))),
                "{name}: {changed:?}"
            );
        }
    }
    assert_eq!(changed.len(), 5 + 2 * 4);
    let api = read(&folder, "convex/_generated/api.d.ts");
    assert!(
        api.contains("\"second\": import(\"../waitlist/_generated/component.js\").ComponentApi<\"second\">;"),
        "{api}"
    );
    assert!(!api.contains("entries"), "{api}");
    let inner = read(&folder, "convex/waitlist/_generated/api.ts");
    assert!(inner.contains("\"mail\": import(\"../mail/_generated/component.js\")"), "{inner}");
    assert!(inner.contains("m_entries") && !inner.contains("letters"), "{inner}");
    let offered = read(&folder, "convex/waitlist/_generated/component.ts");
    assert!(
        offered
            .contains("\"f\": FunctionReference<\"query\", \"internal\", { \"n\": number }, string, Name>;"),
        "{offered}"
    );
    let server = read(&folder, "convex/_generated/server.d.ts");
    assert!(server.contains("readonly KEY: \"a\" | \"b\";"), "{server}");
    assert!(
        read(&folder, "convex/waitlist/_generated/server.ts").contains("readonly KEY: string | undefined;")
    );
    build_well(&project, None);
    assert_eq!(codegen(&project, &mut |_| {}).unwrap(), [""; 0].map(Into::<std::path::PathBuf>::into));
}

/// Files of a package that has a component, built as packages are.
const PACKAGE: &[(&str, &str)] = &[
    (
        "node_modules/@a/limits/package.json",
        r#"{"name": "@a/limits", "type": "module", "browser": {"fs": false}, "exports": {
            ".": "./dist/client.js",
            "./convex.config": {"@convex-dev/component-source": "./src/convex.config.ts", "default": "./dist/component/convex.config.js"}}}"#,
    ),
    (
        "node_modules/@a/limits/src/convex.config.ts",
        "throw new Error(\"the source is not what is published\");",
    ),
    (
        "node_modules/@a/limits/dist/component/convex.config.js",
        "import { defineComponent } from \"convex/server\";\nexport default defineComponent(\"limits\");\n",
    ),
    (
        "node_modules/@a/limits/dist/component/lib.js",
        "import { query } from \"./_generated/server.js\";\nexport const f = query({ args: {}, handler: async () => 1 });\n\
         export const read = (name) => require(\"fs\").readFileSync(name);\n",
    ),
    ("node_modules/@a/limits/dist/component/lib.d.ts", "export declare const f: any;\n"),
    ("node_modules/@a/limits/dist/component/lib.test.js", "throw new Error(\"a test\");\n"),
    (
        "node_modules/@a/limits/dist/component/_generated/server.js",
        "import { queryGeneric } from \"convex/server\";\nexport const query = queryGeneric;\n",
    ),
    (
        "node_modules/@a/limits/dist/component/_generated/component.d.ts",
        "export type ComponentApi<Name extends string | undefined = undefined> = {};\n",
    ),
];

const FUNCTION: (&str, &str) = (
    "convex/a.ts",
    "import { query } from \"./_generated/server\";\nexport const f = query({ args: {}, handler: async () => 1 });\n",
);

fn config(body: &str) -> String {
    format!("import {{ defineApp, defineComponent }} from \"convex/server\";\n{body}")
}

#[test]
fn packages_are_mounted_as_they_are_installed() {
    // Packages name the file with its ending, and without.
    for specifier in ["@a/limits/convex.config", "@a/limits/convex.config.js"] {
        let text = config(&format!(
            "import limits from \"{specifier}\";\nconst app = defineApp();\napp.use(limits);\nexport default app;\n"
        ));
        let mut files = vec![("convex/convex.config.ts", text.as_str()), FUNCTION];
        files.extend(PACKAGE);
        let (folder, project) = project_with("", &files);
        link_convex(&folder);
        let built = build_well(&project, None);
        assert_eq!(names(&built), ["guest", "a_limits"], "{specifier}");
        assert_eq!(tree(&built)["definitions"], json!({ "@a/limits": { "modules": ["a_limits"] } }));
        assert!(built.folders.is_empty(), "a package is not watched");
        let api = read(&folder, "convex/_generated/api.d.ts");
        assert!(
            api.contains("import(\"@a/limits/_generated/component.js\").ComponentApi<\"limits\">"),
            "{api}"
        );
        let generated = folder.path().join("node_modules/@a/limits/dist/component/_generated");
        assert_eq!(std::fs::read_dir(generated).unwrap().count(), 2, "nothing is written into a package");
    }
}

/// Writes a file whose time is a while ago: what is made of one that has just changed is not kept.
fn write_earlier(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let earlier = file.metadata().unwrap().modified().unwrap() - std::time::Duration::from_secs(1);
    file.set_modified(earlier).unwrap();
}

#[test]
fn what_has_not_changed_is_not_built_again() {
    let files = nested();
    let (folder, project) = project_with("", &as_files(&files));
    link_packages(&folder);
    let mut memory = Memory::default();
    let mut build = || {
        let mut finished = Vec::new();
        let progress = &mut |progress: Progress<'_>| {
            if let Progress::Finished(built) = progress {
                finished.push(built.name.clone());
            }
        };
        let built = build_again(&project, None, &mut memory, progress).unwrap();
        assert_eq!(built.modules.len(), 3);
        finished
    };
    assert_eq!(build(), ["convex_waitlist", "convex_waitlist_mail", "guest"]);
    assert_eq!(build(), ["guest"]);
    write_earlier(&folder.path().join("convex/waitlist/more.ts"), &format!("{SERVER}{QUERY}"));
    assert_eq!(build(), ["convex_waitlist", "guest"]);
    assert!(read(&folder, "convex/waitlist/_generated/component.ts").contains("\"more\""));
    let letters = folder.path().join("convex/waitlist/mail/letters.ts");
    write_earlier(&letters, &format!("{SERVER}{}", QUERY.replace("f =", "g =")));
    assert_eq!(build(), ["convex_waitlist_mail", "guest"]);
}

#[test]
fn the_host_toml_mounts_components_too() {
    let files = nested();
    let rust = repository("tests/guests/lists");
    let toml = format!(
        "[components.mail]\nlanguage = \"typescript\"\npath = \"convex/waitlist/mail\"\n\
         [components.limits]\npackage = \"@a/limits\"\nname = \"limiter\"\n\
         [components.built]\nfile = \"built/one.wasm\"\nhttp_prefix = \"/one\"\nenv = {{ A = \"a\" }}\nvariables = {{ A = \"string\" }}\n\
         [components.again]\nfile = \"built/one.wasm\"\nenv = {{ A = {{ variable = \"KEY\" }} }}\nvariables = {{ A = \"string\" }}\n\
         [components.lists]\nlanguage = \"rust\"\npath = {rust:?}\n"
    );
    let mut files = as_files(&files);
    files.extend(PACKAGE);
    let (folder, project) = project_with(&toml, &files);
    link_convex(&folder);
    std::fs::create_dir(folder.path().join("built")).unwrap();
    let empty = wat::parse_str("(component)").unwrap();
    std::fs::write(folder.path().join("built/one.wasm"), &empty).unwrap();
    let built = build_well(&project, None);
    let tree = tree(&built);
    let definitions: Vec<_> = tree["definitions"].as_object().unwrap().keys().map(String::as_str).collect();
    let rust = definitions.iter().find(|name| name.ends_with("tests/guests/lists")).copied().unwrap();
    assert_eq!(definitions.len(), 5, "{definitions:?}");
    let text = |mount: &Json, name: &str| mount[name].as_str().unwrap().to_owned();
    let mounts = tree["mounts"].as_array().unwrap().iter();
    let mounts = mounts.map(|mount| ["name", "definition", "place"].map(|name| text(mount, name)));
    let mounts: Vec<_> = mounts.collect();
    let app = "convex/convex.config.ts";
    let expected = [
        ["waitlist", "convex/waitlist", app],
        ["second", "convex/waitlist", app],
        ["again", "built/one.wasm", "host.toml:14:13"],
        ["built", "built/one.wasm", "host.toml:9:13"],
        ["limiter", "@a/limits", "host.toml:6:13"],
        ["lists", rust, "host.toml:18:13"],
        ["mail", "convex/waitlist/mail", "host.toml:3:13"],
    ];
    assert_eq!(mounts, expected.map(|mount| mount.map(str::to_owned)));
    let module = built.modules.iter().find(|module| module.name == "built_one_wasm").unwrap();
    assert_eq!(module.component, empty);
    let api = read(&folder, "convex/_generated/api.d.ts");
    assert!(api.contains("\"built\": AnyComponents[string];"), "{api}");
    assert!(api.contains("\"mail\": import(\"../waitlist/mail/_generated/component.js\")"), "{api}");
}

/// What a project without a module in TypeScript mounts.
#[test]
fn an_app_in_another_language_mounts_packages() {
    let (folder, _) = project_with("", PACKAGE);
    link_convex(&folder);
    let text = format!(
        "[modules.app]\nlanguage = \"rust\"\npath = {:?}\n[components.limits]\npackage = \"@a/limits\"\n",
        repository("tests/guests/lists")
    );
    std::fs::write(folder.path().join("host.toml"), text).unwrap();
    let built = build_well(&Project::load(folder.path()).unwrap(), None);
    assert_eq!(names(&built), ["app", "a_limits"]);
    assert_eq!(tree(&built)["mounts"][0]["definition"], "@a/limits");
}

const APP_CONFIG: &str = "convex/convex.config.ts";

/// A file, its text, the place that is named, and what is said of it.
type Wrong = (&'static str, String, &'static str, &'static str);

/// The config of an app that imports two components, and does this.
fn app(body: &str) -> String {
    let local = "import one from \"./one/convex.config\";\nimport two from \"./two/convex.config\";\n";
    config(&format!("{local}const app = defineApp();\n{body}\nexport default app;\n"))
}

fn wrong_apps() -> Vec<Wrong> {
    vec![
        (APP_CONFIG, app("app.use(one); app.use(one);"), APP_CONFIG, "two components are mounted as `one`"),
        (APP_CONFIG, app("app.use(one, { name: \"a-b\" });"), APP_CONFIG, "is not the name of a component"),
        (
            APP_CONFIG,
            app("app.use(one, { httpPrefix: \"one\" });"),
            "convex/convex.config.ts:5:5",
            "httpPrefix must start with",
        ),
        (
            APP_CONFIG,
            app("app.use(one, { httpPrefix: \"/a\" }); app.use(two, { httpPrefix: \"/a/\" });"),
            APP_CONFIG,
            "have one HTTP prefix",
        ),
        (APP_CONFIG, app("app.use(one, { env: { K: \"v\" } });"), APP_CONFIG, "declares no variable `K`"),
        (
            APP_CONFIG,
            app("app.use(one, { env: { K: app.env.K } });"),
            "convex/convex.config.ts:5",
            "is not declared on this app",
        ),
        (APP_CONFIG, app("app.use({} as never);"), "convex/convex.config.ts:5:5", "componentDefinitionPath"),
        (
            APP_CONFIG,
            config("export const app = defineApp();"),
            "convex/convex.config.ts:1:1",
            "its default export must be",
        ),
        (
            APP_CONFIG,
            config("export default defineComponent(\"x\");"),
            "convex/convex.config.ts:1:1",
            "made by `defineComponent`, but this is the app's own",
        ),
        (
            APP_CONFIG,
            config("throw new Error(\"no\");"),
            "convex/convex.config.ts:2:7",
            "it fails: Error: no",
        ),
        (APP_CONFIG, config("process.exit(3);"), "convex/convex.config.ts:1:1", "ended Node (3)"),
        (
            APP_CONFIG,
            config("import x from \"@no/such/convex.config.js\";\nexport default defineApp().use(x);"),
            "convex/convex.config.ts:2:14",
            "npm install @no/such",
        ),
        (
            APP_CONFIG,
            config("import x from \"./nothing/convex.config\";\nexport default defineApp().use(x);"),
            "convex/convex.config.ts:2:14",
            "there is no component ./nothing",
        ),
    ]
}

fn wrong_components() -> Vec<Wrong> {
    vec![
        (
            "convex/one/convex.config.ts",
            config("export default defineApp();"),
            "convex/one/convex.config.ts:1:1",
            "made by `defineApp`, but this one is mounted",
        ),
        (
            "convex/one/convex.config.ts",
            config(
                "import two from \"../two/convex.config\";\nconst one = defineComponent(\"one\");\none.use(two, { env: { A: \"a\" } });\nexport default one;",
            ),
            "convex/one/convex.config.ts",
            "declares no variable `A`",
        ),
        (
            "convex/two/convex.config.ts",
            config(
                "import app from \"../convex.config\";\nconst two = defineComponent(\"two\");\ntwo.use(app as never);\nexport default two;",
            ),
            "convex/two/convex.config.ts:1:1",
            "in a circle: convex/convex.config.ts -> convex/two/convex.config.ts -> convex/convex.config.ts",
        ),
        (
            "convex/one/a.ts",
            "export const f = (ctx) => ctx.vectorSearch(x);".to_owned(),
            "convex/one/a.ts:1:27",
            "ctx.vectorSearch",
        ),
    ]
}

#[test]
fn what_is_wrong_names_its_file() {
    let one = config("export default defineComponent(\"one\");\n");
    let uses_both = app("app.use(one); app.use(two);");
    let two = config("export default defineComponent(\"two\");\n");
    for (file, text, place, expected) in wrong_apps().into_iter().chain(wrong_components()) {
        let mut files = vec![
            (APP_CONFIG, uses_both.as_str()),
            ("convex/one/convex.config.ts", one.as_str()),
            ("convex/two/convex.config.ts", two.as_str()),
            FUNCTION,
        ];
        files.retain(|(name, _)| *name != file);
        files.push((file, &text));
        let (folder, project) = project_with("", &files);
        link_packages(&folder);
        let said = refused(&project);
        assert!(
            said.contains(place) && said.contains(expected),
            "{file}: {text}: {place}: {expected}\n{said}"
        );
    }
}

#[test]
fn one_name_in_two_files_names_both() {
    let one = config("export default defineComponent(\"one\");\n");
    let app = config(
        "import one from \"./one/convex.config\";\nconst app = defineApp();\napp.use(one);\nexport default app;\n",
    );
    let files =
        [("convex/convex.config.ts", app.as_str()), ("convex/one/convex.config.ts", one.as_str()), FUNCTION];
    let toml = |table: &str| format!("[components.one]\n{table}\n");
    let cases = [
        (
            toml("language = \"typescript\"\npath = \"convex/one\""),
            "host.toml:3:13: convex/convex.config.ts mounts a component as `one` too",
        ),
        (
            toml("language = \"typescript\"\npath = \"convex/nothing\""),
            "host.toml: convex/nothing is no component in TypeScript",
        ),
        (toml("package = \"@no/such\""), "npm install @no/such"),
        (toml("file = \"host.toml\"\nname = \"file\""), "host.toml is no WebAssembly component"),
        (toml("file = \"nothing.wasm\"\nname = \"file\""), "cannot read"),
        (toml("language = \"rust\"\npath = \"nothing\"\nname = \"file\""), "there is no folder"),
    ];
    for (toml, expected) in cases {
        let (folder, project) = project_with(&toml, &files);
        link_packages(&folder);
        let said = refused(&project);
        assert!(said.contains(expected), "{toml}: {said}");
    }
}

/// A component that has nothing itself, but mounts others, is no module.
#[test]
fn a_component_without_functions_is_no_module() {
    let one = config("export default defineComponent(\"one\");\n");
    let app = config(
        "import one from \"./one/convex.config\";\nconst app = defineApp();\napp.use(one);\nexport default app;\n",
    );
    let files =
        [("convex/convex.config.ts", app.as_str()), ("convex/one/convex.config.ts", one.as_str()), FUNCTION];
    let (folder, project) = project_with("", &files);
    link_packages(&folder);
    let built = build_well(&project, None);
    assert_eq!(names(&built), ["guest"]);
    assert_eq!(tree(&built)["definitions"], json!({ "convex/one": { "modules": [] } }));
}

/// Packages of npm, unmodified.
#[test]
fn real_packages_are_built() {
    let project = Project::load(&repository("tests/guests/components")).unwrap();
    let built = build_well(&project, None);
    built.modules.iter().for_each(|module| assert_is_guest(&module.component));
    let definitions: Vec<_> = built.components.definitions.keys().map(String::as_str).collect();
    let packages = ["@convex-dev/aggregate", "@convex-dev/batch-worker", "@convex-dev/rate-limiter"];
    assert_eq!(definitions, [&packages[..], &["convex/counter"]].concat());
    let modules: Vec<_> = names(&built);
    let mounts = built.components.mounts(&modules).unwrap();
    let paths: Vec<_> = mounts.iter().map(|mount| mount.path.as_str().to_owned()).collect();
    let expected = ["counter", "rateLimiter", "scores", "scores/batchWorker", "totals", "totals/batchWorker"];
    assert_eq!(paths, expected);
}
