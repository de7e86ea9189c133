//! TypeScript guests are built for real: bundled, loaded into the engine, and made a component.

mod support;

use std::path::PathBuf;

use support::{assert_is_guest, link_packages, repository};
use weir_build::{BuildError, BuiltModule, Project, codegen};

/// Builds the one module of a project.
fn build_quietly(project: &Project) -> (Result<BuiltModule, BuildError>, String) {
    let (result, lines) = support::build_quietly(project, None);
    (result.map(|mut built| built.remove(0)), lines.join("\n"))
}

/// A project with these files in `convex/`, which has the repository's packages.
fn project_with(files: &[(&str, &str)]) -> (tempfile::TempDir, Project) {
    let files: Vec<_> = files.iter().map(|(name, text)| (format!("convex/{name}"), *text)).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let (folder, project) = support::project_with("typescript", &files);
    link_packages(&folder);
    (folder, project)
}

fn build_fixture(name: &str) -> BuiltModule {
    let project = Project::load(&repository(name)).unwrap();
    support::build_well(&project, None).0.remove(0)
}

/// The largest core module of a component that has functions, or that has none.
fn core_module(component: &[u8], has_code: bool) -> &[u8] {
    let payloads = wasmparser::Parser::new(0).parse_all(component);
    let modules = payloads.filter_map(|payload| match payload.unwrap() {
        wasmparser::Payload::ModuleSection { unchecked_range, .. } => Some(&component[unchecked_range]),
        _ => None,
    });
    let of_kind = |module: &&[u8]| {
        let mut payloads = wasmparser::Parser::new(0).parse_all(module);
        has_code
            == payloads.any(|payload| matches!(payload, Ok(wasmparser::Payload::CodeSectionStart { .. })))
    };
    modules.filter(of_kind).max_by_key(|module| module.len()).unwrap()
}

#[test]
fn projects_share_the_engine_byte_for_byte() {
    let fixtures = ["tests/typescript/tutorial", "tests/typescript/tasks", "tests/typescript/helpers"];
    let built = fixtures.map(build_fixture);
    let engines: Vec<_> = built.iter().map(|built| core_module(&built.component, true)).collect();
    assert!(engines[0].len() > 1 << 19, "{}", engines[0].len());
    assert!(engines[0] == engines[1] && engines[1] == engines[2], "the engine's code differs");
    let memories: Vec<_> = built.iter().map(|built| core_module(&built.component, false)).collect();
    assert!(memories[0] != memories[1] && memories[1] != memories[2], "the memories are the projects'");
    let component = String::from_utf8_lossy(&built[0].component);
    assert!(!component.contains(env!("CARGO_MANIFEST_DIR")), "a path of this machine is in the component");
}

#[test]
fn the_same_source_gives_the_same_component() {
    let twice = [(); 2].map(|()| build_fixture("tests/typescript/tutorial").component);
    assert!(twice[0] == twice[1]);
}

const SERVER: &str = "import { mutation, query } from \"./_generated/server\";\n";

/// A file of `convex/` that is refused, the place that is named, and what is said of it.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    ("http.ts", "\nexport default 1;", "http.ts:2", "its default export must be a router"),
    ("http.ts", "export const http = 1;", "http.ts:1", "its default export must be a router"),
    (
        "http.ts",
        "import { httpRouter } from \"convex/server\";\nconst http = httpRouter();\n\
         http.route({ path: \"/a\", method: \"GET\", handler: (() => 1) as any });\nexport default http;",
        "http.ts:4",
        "the handler of GET /a is not an HTTP action",
    ),
    ("crons.ts", "export default 1;", "crons.ts:1", "its default export must be what `cronJobs()` gives"),
    (
        "crons.ts",
        "import { cronJobs } from \"convex/server\";\nconst crons = cronJobs();\n\
         crons.interval(\"a\", { seconds: 5 }, \"chat:gone\" as never);\nexport default crons;",
        "crons.ts:4",
        "the cron job `a`: there is no function `chat:gone`",
    ),
    (
        "crons.ts",
        "import { cronJobs } from \"convex/server\";\nconst crons = cronJobs();\n\
         crons.daily(\"a\", { hourUTC: 24 }, \"chat:gone\" as never);\nexport default crons;",
        "crons.ts:3",
        "Hour of day must be an integer from 0 to 23",
    ),
    ("auth.config.ts", "export default fetch(\"x\");", "auth.config.ts:1:16", "fetch"),
    ("convex.config.ts", "export default {};", "convex.config.ts:1", "its default export must be"),
    ("http.ts", "\"use node\";\nexport default 1;", "http.ts:1:1", "it is read for the whole project"),
    (
        "a.ts",
        "\"use node\";\nimport { query } from \"./_generated/server\";\nexport const q = query(async () => 1);",
        "a.ts:3",
        "`q` is of the kind `query`; a file that begins with \"use node\" defines actions alone",
    ),
    (
        "a.ts",
        "\"use node\";\nimport { httpAction } from \"./_generated/server\";\n\nexport const h = httpAction(async () => new Response());",
        "a.ts:4",
        "`h` is of the kind `httpAction`",
    ),
    (
        "a.ts",
        "\"use node\";\nexport const key = process.env.NO_SUCH_KEY!.length.x.y;",
        "a.ts:2",
        "its top-level code fails",
    ),
    ("a.ts", "\"use node\";\nprocess.exit(4);", "convex", "ended Node (4)"),
    (
        "a.ts",
        "import { action } from \"./_generated/server\";\nimport { readFileSync } from \"node:fs\";\n\
         export const f = action(async () => readFileSync(\"x\", \"utf8\"));",
        "a.ts:2",
        "an action in a file that begins with \"use node\" has it",
    ),
    ("a.ts", "export const f = async ({ db, vectorSearch }) => 1;", "a.ts:1:31", "ctx.vectorSearch"),
    ("a.ts", "export const f = (ctx) =>\n  ctx.vectorSearch(x);", "a.ts:2:3", "ctx.vectorSearch"),
    (
        "a.ts",
        "import { action } from \"./_generated/server\";\nexport const f = action(async (c) => c.vectorSearch(x));",
        "a.ts:2:38",
        "ctx.vectorSearch",
    ),
    ("a.ts", "export const f = (ctx) => ctx.vectorSearch(x);", "a.ts:1:27", "ctx.vectorSearch"),
    ("a.ts", "export const f = (ctx) => ctx.db.vars.now;", "a.ts:1:39", "ctx.db.vars.now"),
    (
        "a.ts",
        "export const f = (ctx) => {\n  const { commitTs, ip } = ctx.db.vars;\n};",
        "a.ts:2:21",
        "ctx.db.vars.ip",
    ),
    (
        "a.ts",
        "export const f = (ctx) => ctx.db.query(\"t\").withSearchIndex(\"s\");",
        "a.ts:1:45",
        "a search index",
    ),
    ("schema.ts", "\nexport default { tables: [] };", "schema.ts:2", "must be what `defineSchema` gives"),
    (
        "schema.ts",
        "import { defineSchema, defineTable } from \"convex/server\";\nconst s = \"searchIndex\";\n\
         export default defineSchema({ a: defineTable({})[s](\"s\", { searchField: \"x\" }) });",
        "schema.ts:3",
        "a search index, s",
    ),
    (
        "schema.ts",
        "import { defineSchema, defineTable } from \"convex/server\";\nexport default defineSchema({ a: defineTable({}).searchIndex(\"s\", {}) });",
        "schema.ts:2:50",
        "a search index",
    ),
    ("a.ts", "import fs from \"node:fs\";\nexport const a = fs;", "a.ts:1:15", "the module node:fs of Node"),
    ("a.ts", "import { b } from \"./lib.part\";\nexport const a = b;", "a.ts:1:18", "./lib.part"),
    ("a.ts", "export const = 1;", "a.ts:1:13", "Expected identifier"),
    ("a.ts", "export const a = 1;\nthrow new Error(\"at once\");", "a.ts:2:7", "at once"),
    ("a.ts", "export const a = 1;", "convex/", "exports no function"),
    (
        "folder/deep.ts",
        "export const f = (ctx) => ctx.vectorSearch;",
        "folder/deep.ts:1:27",
        "ctx.vectorSearch",
    ),
];

#[test]
fn what_is_not_supported_is_refused_with_its_place() {
    for (file, text, place, what) in REFUSED {
        let (_folder, project) = project_with(&[(file, text)]);
        let (result, lines) = build_quietly(&project);
        let error = result.expect_err(text).to_string();
        let said = format!("{lines}\n{error}");
        assert!(said.contains(place), "{place} is not said of {text:?}:\n{said}");
        assert!(said.contains(what), "{what} is not said of {text:?}:\n{said}");
    }
}

#[test]
fn cron_jobs_are_refused_where_nothing_would_come_of_them() {
    let helper = "import * as server from \"convex/server\";\nexport const make = server.cronJobs;";
    let text = "import { make } from \"./lib/helper\";\n\nexport const late = make();";
    let (_folder, project) = project_with(&[("a.ts", text), ("lib/helper.ts", helper)]);
    let error = build_quietly(&project).0.unwrap_err().to_string();
    assert!(error.contains("convex/a.ts:3: `late` is cron jobs"), "{error}");
}

#[test]
fn what_is_like_it_is_not_refused() {
    let text = format!(
        "{SERVER}const shop = {{ storage: 1, index: (name: string) => name, paginate: () => 2 }};\n\
         export const f = query({{ args: {{}}, handler: async (ctx) => {{\n\
           await ctx.db.query(\"t\").withIndex(\"by_creation_time\").order(\"desc\").take(1);\n\
           await ctx.db.query(\"t\").withIndex(\"by_own\", (q) => q.eq(\"a\", 1)).first();\n\
           const {{ system }} = ctx.db;\n\
           await system.query(\"_indexes\").paginate({{ cursor: null, numItems: 1 }});\n\
           await fetch(\"http://h\").catch(() => null);\n\
           return [shop.storage, shop.index(\"a\")];\n\
         }} }});\n\
         export type Storage = {{ storage: string }};"
    );
    let (_folder, project) = project_with(&[("a.ts", &text), ("a.test.ts", "import fs from \"node:fs\";")]);
    let (result, lines) = build_quietly(&project);
    result.unwrap_or_else(|error| panic!("{error}\n{lines}"));
}

const QUERY: &str = "export const f = query({ args: {}, handler: () => 1 });\n";

/// Nothing of it runs while the project is built: neither its own code, nor what it alone imports.
#[test]
fn a_list_of_providers_is_not_run_by_the_build() {
    let functions = format!("{SERVER}import {{ shared }} from \"./lib/shared\";\nshared;\n{QUERY}");
    let config = "import { AuthConfig } from \"convex/server\";\nimport { own } from \"./own.part\";\n\
                  import { shared } from \"./lib/shared\";\nif (!process.env.AUTH_DOMAIN) throw new Error(\"too early\");\n\
                  export default { providers: [{ domain: process.env.AUTH_DOMAIN, applicationID: own + shared }] } satisfies AuthConfig;";
    let files = [
        ("a.ts", functions.as_str()),
        ("auth.config.ts", config),
        ("own.part.ts", "if (Math) throw new Error(\"too early\");\nexport const own = \"a\";"),
        ("lib/shared.ts", "export const shared = \"b\";"),
    ];
    let (_folder, project) = project_with(&files);
    let (result, lines) = build_quietly(&project);
    let built = result.unwrap_or_else(|error| panic!("{error}\n{lines}"));
    assert_is_guest(&built.component);
    assert!(!lines.contains("AUTH_DOMAIN"), "no snapshot depends on it: {lines}");
}

#[test]
fn there_is_one_list_of_providers() {
    let config = "export default { providers: [] };";
    let functions = format!("{SERVER}{QUERY}");
    let files = [("a.ts", functions.as_str()), ("auth.config.js", config), ("auth.config.ts", config)];
    let (_folder, project) = project_with(&files);
    let (result, lines) = build_quietly(&project);
    result.unwrap_err();
    let said = "convex/auth.config.ts:1:1: convex/auth.config.js says already";
    assert!(lines.contains(said), "{lines}");
}

#[test]
fn a_schema_needs_no_functions() {
    let schema = "import { defineSchema, defineTable } from \"convex/server\";\nimport { v } from \"convex/values\";\n\
                  export default defineSchema({ a: defineTable({ x: v.string() }).index(\"by_x\", [\"x\"]) });";
    let (_folder, project) = project_with(&[("schema.ts", schema)]);
    let (result, lines) = build_quietly(&project);
    result.unwrap_or_else(|error| panic!("{error}\n{lines}"));
}

#[test]
fn who_calls_tokens_and_variables_are_built_without_a_word() {
    let text = format!(
        "{SERVER}export const f = query({{ args: {{}}, handler: async (ctx) => {{\n  \
           return [process.env.SITE, await ctx.auth.getUserIdentity()];\n\
         }} }});\n\
         export const g = mutation({{ args: {{}}, handler: async (ctx) => {{\n  \
           return await ctx.auth.signJwt({{ claims: {{ sub: \"ada\" }}, expiresInSeconds: 60 }});\n\
         }} }});"
    );
    let (_folder, project) = project_with(&[("a.ts", &text)]);
    let (result, lines) = build_quietly(&project);
    result.unwrap_or_else(|error| panic!("{error}\n{lines}"));
    for word in ["warning", "process.env", "ctx.auth"] {
        assert!(!lines.contains(word), "{word}:\n{lines}");
    }
}

#[test]
fn hundreds_of_refusals_begin_with_a_summary() {
    let calls = "  ctx.vectorSearch(x);\n".repeat(200);
    let text = format!("{SERVER}export const f = (ctx, x) => {{\n{calls}  ctx.db.vars.ip;\n}};");
    let (_folder, project) = project_with(&[("a.ts", &text)]);
    let (result, lines) = build_quietly(&project);
    result.unwrap_err();
    let summary =
        "201 places use what is not supported by Weir yet:\n  ctx.vectorSearch  200\n  ctx.db.vars.ip    1\n";
    assert!(lines.contains(summary), "{lines}");
    assert!(lines.contains("... and 195 more of: ctx.vectorSearch"), "{lines}");
    assert_eq!(lines.matches("ctx.vectorSearch is not supported").count(), 5, "{lines}");
}

#[test]
fn a_project_without_convex_is_told_what_to_install() {
    let (folder, project) = project_with(&[("a.ts", SERVER)]);
    std::fs::remove_file(folder.path().join("node_modules")).unwrap();
    std::fs::create_dir_all(folder.path().join("node_modules/@weir")).unwrap();
    std::os::unix::fs::symlink(
        repository("guest-sdk/typescript"),
        folder.path().join("node_modules/@weir/typescript"),
    )
    .unwrap();
    let error = build_quietly(&project).0.unwrap_err().to_string();
    assert!(error.contains("npm install convex"), "{error}");
    std::fs::remove_dir_all(folder.path().join("convex")).unwrap();
    let error = build_quietly(&project).0.unwrap_err().to_string();
    assert!(error.contains("there is no folder"), "{error}");
}

#[test]
fn generated_files_are_made_by_the_build() {
    let (_folder, project) = project_with(&[(
        "a.ts",
        &format!("{SERVER}export const f = query({{ args: {{}}, handler: async () => 1 }});"),
    )]);
    build_quietly(&project).0.unwrap();
    let changed = codegen(&project, &mut |_| {}).unwrap();
    assert_eq!(changed, Vec::<PathBuf>::new(), "the build has left nothing to do");
}

const IN_NODE: &str = "\"use node\";\nimport { hash } from \"node:crypto\";\n\
    import { internalAction } from \"./_generated/server\";\n\
    export const helper = 1;\nexport const act = internalAction({ args: {}, handler: async () => typeof hash });\n";

#[test]
fn actions_for_node_are_put_beside_the_engine() {
    let crons = "import { cronJobs } from \"convex/server\";\nimport { internal } from \"./_generated/api\";\n\
                 const crons = cronJobs();\ncrons.interval(\"often\", { hours: 1 }, internal.mail.act, {});\n\
                 export default crons;\n";
    let (_folder, project) = project_with(&[("mail.ts", IN_NODE), ("crons.ts", crons)]);
    let (built, output) = build_quietly(&project);
    let component = built.unwrap_or_else(|error| panic!("{error}\n{output}")).component;
    assert_is_guest(&component);
    let text = String::from_utf8_lossy(&component);
    assert!(text.contains("weir:node") && text.contains(r#""path":"mail:act""#), "it says which functions");
    assert!(text.contains(r#""place":"convex/mail.ts:1:1""#));
    // Without a file for Node there is nothing of it.
    let (_folder, project) =
        project_with(&[("a.ts", &format!("{SERVER}export const q = query(async () => 1);"))]);
    let component = build_quietly(&project).0.unwrap().component;
    assert!(!String::from_utf8_lossy(&component).contains("weir:node"));
}

#[test]
fn a_variable_that_only_the_host_has_does_not_fail_the_build() {
    let text = IN_NODE.replace("const helper = 1", "const helper = process.env.SOME_KEY!.length");
    let (_folder, project) = project_with(&[("mail.ts", &text)]);
    let (built, output) = build_quietly(&project);
    assert!(built.is_ok(), "{output}");
    assert!(output.contains("convex/mail.ts:4:") && output.contains("process.env.SOME_KEY"), "{output}");
}

#[test]
fn a_file_that_is_not_for_node_imports_none_that_is() {
    let ways = [
        ("import { helper } from \"./mail\";\nexport const h = helper;", "a.ts:1:24"),
        ("\nexport { helper } from \"./mail\";", "a.ts:2:24"),
        ("export const h = () => import(\"./mail\");", "a.ts:1:31"),
    ];
    for (text, place) in ways {
        let (_folder, project) = project_with(&[("mail.ts", IN_NODE), ("a.ts", text)]);
        let (built, output) = build_quietly(&project);
        assert!(built.is_err(), "{text}");
        assert!(
            output.contains(place) && output.contains("mail.ts begins with \"use node\""),
            "{text}: {output}"
        );
    }
    // Of a type alone nothing is left.
    let types = "import type { helper } from \"./mail\";\nexport type H = typeof helper;";
    let (_folder, project) = project_with(&[("mail.ts", IN_NODE), ("a.ts", types)]);
    let (built, output) = build_quietly(&project);
    assert!(built.is_ok(), "{output}");
}
