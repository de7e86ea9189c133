//! What of the generated files is the same in every project.

pub(super) const DATA_MODEL: &str = r#"import type {
  DataModelFromSchemaDefinition,
  DocumentByName,
  SystemTableNames,
  TableNamesInDataModel,
} from "convex/server";
import type { GenericId } from "convex/values";
import type schema from "../schema.js";

/** The tables of `schema.ts`, what is in them, and their indexes. */
export type DataModel = DataModelFromSchemaDefinition<typeof schema>;

/** The names of all tables. */
export type TableNames = TableNamesInDataModel<DataModel>;

/** A document of a table. */
export type Doc<TableName extends TableNames> = DocumentByName<DataModel, TableName>;

/** The id of a document of a table, or of one of the host's own tables. */
export type Id<TableName extends TableNames | SystemTableNames> = GenericId<TableName>;
"#;

pub(super) const ANY_DATA_MODEL: &str = r#"import type { AnyDataModel } from "convex/server";
import type { GenericId } from "convex/values";

/** Every table, with anything in it: the project has no `schema.ts`. */
export type DataModel = AnyDataModel;

/** The names of all tables. */
export type TableNames = string;

/** A document of any table. */
export type Doc = any;

/** The id of a document of a table. */
export type Id<TableName extends TableNames = TableNames> = GenericId<TableName>;
"#;

pub(super) const SERVER_IMPORTS: &str = r#"import type {
  ActionBuilder,
  GenericActionCtx,
  GenericDatabaseReader,
  GenericDatabaseWriter,
  GenericMutationCtx,
  GenericQueryCtx,
  HttpActionBuilder,
  MutationBuilder,
  QueryBuilder,
} from "convex/server";
"#;

/// What makes functions: a comment, the name, its type, and what it is in npm `convex`.
pub(super) const BUILDERS: [[&str; 4]; 7] = [
    [
        "Defines a query: a function that reads, and that clients may call and watch.",
        "query",
        "QueryBuilder<DataModel, \"public\">",
        "queryGeneric",
    ],
    [
        "Defines a query that only functions may call.",
        "internalQuery",
        "QueryBuilder<DataModel, \"internal\">",
        "internalQueryGeneric",
    ],
    [
        "Defines a mutation: a function that reads and writes in one transaction, and that clients may call.",
        "mutation",
        "MutationBuilder<DataModel, \"public\">",
        "mutationGeneric",
    ],
    [
        "Defines a mutation that only functions may call.",
        "internalMutation",
        "MutationBuilder<DataModel, \"internal\">",
        "internalMutationGeneric",
    ],
    [
        "Defines an action: a function that may wait for the world, and calls queries and mutations. Clients may call it.",
        "action",
        "ActionBuilder<DataModel, \"public\">",
        "actionGeneric",
    ],
    [
        "Defines an action that only functions may call.",
        "internalAction",
        "ActionBuilder<DataModel, \"internal\">",
        "internalActionGeneric",
    ],
    [
        "Defines an HTTP action: a function that answers the requests of a route of `http.ts`.",
        "httpAction",
        "HttpActionBuilder",
        "httpActionGeneric",
    ],
];

pub(super) const CONTEXTS: &str = r#"/** What a query gets as its first argument. */
export type QueryCtx = GenericQueryCtx<DataModel>;

/** What a mutation gets as its first argument. */
export type MutationCtx = GenericMutationCtx<DataModel>;

/** What an action gets as its first argument. */
export type ActionCtx = GenericActionCtx<DataModel>;

/** The database, for reading: `ctx.db` of a query. */
export type DatabaseReader = GenericDatabaseReader<DataModel>;

/** The database, for reading and writing: `ctx.db` of a mutation. */
export type DatabaseWriter = GenericDatabaseWriter<DataModel>;
"#;
