//! AssemblyScript guests are built for real, with the packages that `npm install` put into the repository.

mod support;

use support::{assert_is_guest, build_quietly, build_well, link_packages, repository};
use weir_build::{BuildError, Project};

/// A project with these files, and the repository's npm packages.
fn project_with(files: &[(&str, &str)]) -> (tempfile::TempDir, Project) {
    let package = ("package.json", r#"{"name":"@me/notes"}"#);
    let (folder, project) = support::project_with("assemblyscript", &[&[package], files].concat());
    link_packages(&folder);
    (folder, project)
}

/// What the compiler says about a source; it must refuse it.
fn refused(source: &str) -> String {
    let (_folder, project) = project_with(&[("assembly/notes.ts", source)]);
    match build_quietly(&project, None).0 {
        Err(BuildError::Compiler { output, .. }) => output,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it compiles:\n{source}"),
    }
}

#[test]
fn the_chat_becomes_a_component_of_the_world() {
    let project = Project::load(&repository("examples/chat/assemblyscript")).unwrap();
    let (built, lines) = build_well(&project, None);
    assert!(lines[0].starts_with("building chat with AssemblyScript 0.28."), "{lines:?}");
    assert_eq!(lines.len(), 2, "the compiler has nothing to say: {lines:?}");
    assert_is_guest(&built[0].component);
    let (again, _) = build_quietly(&project, None);
    assert!(again.unwrap()[0].component == built[0].component, "the same source gives the same bytes");
}

#[test]
fn files_are_modules_and_the_index_has_the_packages_name() {
    let function = |name: &str| {
        format!(
            "import {{ QueryCtx }} from \"@weir/assemblyscript\";\n@query\nexport function {name}(ctx: QueryCtx): void {{}}\n"
        )
    };
    let (_folder, project) = project_with(&[
        ("assembly/index.ts", &function("home")),
        ("assembly/users.ts", &function("list")),
        ("assembly/admin/users.ts", &function("ban")),
    ]);
    let (built, _) = build_well(&project, None);
    // The manifest lies in the memory's image as UTF-16.
    let image: Vec<u8> = built[0].component.iter().copied().filter(|&byte| byte != 0).collect();
    let text = String::from_utf8_lossy(&image);
    for path in ["notes:home", "users:list", "admin/users:ban"] {
        assert!(text.contains(&format!("\"path\":\"{path}\"")), "{path}");
    }
}

#[test]
fn errors_point_into_the_users_file() {
    let head = "import { MutationCtx, QueryCtx } from \"@weir/assemblyscript\";\n";
    let cases = [
        (
            "@query\nexport function f(ctx: QueryCtx): i32 {\n  return \"text\";\n}\n",
            "assembly/notes.ts(4,",
            "not assignable",
        ),
        (
            "@query\nexport function f(ctx: QueryCtx, at: Date): void {}\n",
            "assembly/notes.ts(3,38)",
            "`Date` is no value",
        ),
        ("@query\nfunction f(ctx: QueryCtx): void {}\n", "assembly/notes.ts(3,10)", "`f` is not exported"),
        (
            "@mutation\nexport function f(ctx: QueryCtx): void {}\n",
            "assembly/notes.ts(3,",
            "ctx: MutationCtx",
        ),
        ("@query\nexport function f(): void {}\n", "assembly/notes.ts(3,17)", "ctx: QueryCtx"),
        (
            "@query\nexport function f<T>(ctx: QueryCtx): void {}\n",
            "assembly/notes.ts(3,17)",
            "type parameters",
        ),
        (
            "class Note {\n  text: string;\n  at: Set<string>;\n}\n@query\nexport function f(ctx: QueryCtx, note: Note): void {}\n",
            "assembly/notes.ts(4,7)",
            "`Set` is no value",
        ),
        (
            "@query\nexport function f(ctx: QueryCtx): void {}\n@query(\"f\")\nexport function g(ctx: QueryCtx): void {}\n",
            "assembly/notes.ts(5,17)",
            "two functions `notes:f`",
        ),
    ];
    for (source, place, message) in cases {
        let output = refused(&format!("{head}{source}"));
        assert!(output.contains(place) && output.contains(message), "{place} {message}:\n{output}");
    }
}

#[test]
fn indexes_are_held_against_their_documents() {
    let head = "import { index, QueryCtx, stagedIndex } from \"@weir/assemblyscript\";\n";
    let class = "@document(\"notes\")\nexport class Note {\n  text: string;\n  meta: Meta | null;\n}\n\
                 class Meta { owner: string; }\n";
    let cases = [
        (
            "index<Note>(\"by_text\", [\"txet\"]);\n",
            "assembly/notes.ts(8,25)",
            "no document of the table has a field `txet`",
        ),
        ("stagedIndex<Note>(\"by_o\", [\"meta.name\"]);\n", "(8,28)", "has a field `meta.name`"),
        ("const at = index<Note>(\"by_o\", [\"text\", \"_creationTime\"]);\n", "(8,41)", "leave it out"),
        ("const at = index<Meta>(\"by_o\", [\"owner\"]);\n", "(8,18)", "this class declares no table"),
        ("const at = index<Note>(\"by_o\", []);\n", "(8,12)", "name the documents' class"),
        ("index<Note>(\"by_id\", [\"text\"]);\n", "(8,13)", "the name is taken"),
        ("const at = index<Note>(\"by_text\", [\"txet\"]).eq(\"a\");\n", "(8,36)", "field `txet`"),
        (
            "index<Note>(\"a\", [\"text\"]);\nstagedIndex<Note>(\"a\", [\"meta\"]);\n",
            "(9,19)",
            "two indexes `a`",
        ),
        (
            "@document(\"notes\")\nexport class Other { text: string; }\n",
            "(9,14)",
            "`Note` and `Other` declare the table `notes` differently",
        ),
        (
            "const at = index<Note>(\"by_text\", [\"text\"]);\n@query\nexport function f(ctx: QueryCtx): void {\n  \
             ctx.db.query<Meta>(\"metas\").withIndex(at);\n}\n",
            "(11,",
            "not assignable",
        ),
    ];
    for (source, place, message) in cases {
        let output = refused(&format!("{head}{class}{source}"));
        assert!(output.contains(place) && output.contains(message), "{place} {message}:\n{output}");
    }
    let fine = "const at = index<Note>(\"by_owner\", [\"meta.owner\", \"text\"]);\n\
                @document(\"notes\")\n@undeclared\nexport class Part { text: string; }\n";
    let (_folder, project) = project_with(&[("assembly/notes.ts", &format!("{head}{class}{fine}"))]);
    build_well(&project, None);
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let (folder, project) = project_with(&[]);
    let error = |project: &Project| build_quietly(project, None).0.unwrap_err().to_string();
    assert!(error(&project).contains("assembly/index.ts"), "{}", error(&project));
    std::fs::create_dir(folder.path().join("assembly")).unwrap();
    std::fs::write(folder.path().join("assembly/index.ts"), "").unwrap();
    std::fs::remove_file(folder.path().join("node_modules")).unwrap();
    assert!(error(&project).contains("npm install"), "{}", error(&project));
}

#[test]
fn top_level_code_runs_at_build() {
    let head = "import { QueryCtx } from \"@weir/assemblyscript\";\n";
    let function = "@query\nexport function f(ctx: QueryCtx): i32 { return numbers[1]; }\n";
    let build = |numbers: &str| {
        let (_folder, project) = project_with(&[(
            "assembly/notes.ts",
            &format!("{head}const numbers: i32[] = {numbers};\n{function}"),
        )]);
        build_quietly(&project, None).0.map_err(|error| error.to_string())
    };
    build("[1, 2, 3].map<i32>((n: i32): i32 => n * 2)").unwrap();
    let cases =
        [("[[7].pop(), [1, 2].slice(2).pop()]", "Array is empty"), ("[<i32>Date.now(), 1]", "env::Date.now")];
    for (numbers, reason) in cases {
        let error = build(numbers).unwrap_err();
        assert!(error.contains("top-level code") && error.contains(reason), "{numbers}: {error}");
    }
}

#[test]
fn cron_jobs_that_cannot_be_are_refused_where_they_stand() {
    let head = "import { crons, MutationCtx, QueryCtx } from \"@weir/assemblyscript\";\n\
                @mutation export function clear(ctx: MutationCtx): void {}\n\
                @query export function list(ctx: QueryCtx): void {}\n";
    let cases = [
        (r#"crons.yearly("a", {}, "notes:clear");"#, "there is no such schedule; there are interval, hourly"),
        (r#"crons.daily("a", { hourUTC: 3 });"#, "a cron job has a name, a schedule, a function"),
        (r#"crons.daily(1, { hourUTC: 3 }, "notes:clear");"#, "a name and a function in quotes"),
        (r#"crons.daily("a", "3:00", "notes:clear");"#, "this is no schedule of that kind"),
        (r#"crons.cron("a", { hourUTC: 3 }, "notes:clear");"#, "this is no schedule of that kind"),
        (
            r#"crons.cron("a", "* * * * *", "notes:gone");"#,
            "there is no function `notes:gone` in this module",
        ),
        (r#"crons.cron("a", "* * * * *", "notes:list");"#, "`notes:list` is a query"),
        (r#"crons.cron("a", "* * * * *", "notes:clear", { n: x });"#, "must be written out"),
        (
            "crons.cron(\"a\", \"1 * * * *\", \"notes:clear\"); crons.cron(\"a\", \"2 * * * *\", \"notes:clear\");",
            "there are two cron jobs `a`",
        ),
    ];
    for (declaration, expected) in cases {
        let output = refused(&format!("{head}{declaration}\n"));
        assert!(output.contains(expected), "{declaration}: {output}");
        assert!(output.contains("assembly/notes.ts(4,"), "{declaration}: {output}");
    }
}
