import type {
  DocumentByName,
  GenericDataModel,
  GenericDatabaseReader,
  GenericTableInfo,
  OrderedQuery,
  TableNamesInDataModel,
} from "convex/server";
import type { GenericId } from "convex/values";

/**
 * The host's short name (`InvalidId`, `NotFound`, `ReadOnly`, ...) of an error
 * that it gave in this call; `undefined` for all other errors.
 */
export declare function errorCode(error: unknown): string | undefined;

/**
 * The documents with these ids, in their order, with `null` where there is
 * none: `db.get` of each, in one call of the host.
 */
export declare function getMany<
  DataModel extends GenericDataModel,
  TableName extends TableNamesInDataModel<DataModel>,
>(
  db: GenericDatabaseReader<DataModel>,
  ids: readonly GenericId<TableName>[],
): Promise<(DocumentByName<DataModel, TableName> | null)[]>;
/** The same for ids that must be of one table. */
export declare function getMany<
  DataModel extends GenericDataModel,
  TableName extends TableNamesInDataModel<DataModel>,
>(
  db: GenericDatabaseReader<DataModel>,
  table: TableName,
  ids: readonly GenericId<NoInfer<TableName>>[],
): Promise<(DocumentByName<DataModel, TableName> | null)[]>;

/**
 * How many documents a query gives: `count(ctx.db.query("tasks"))` of a whole
 * table in constant time, of a range of an index by its entries. With a filter,
 * and of a query that something stands before, by reading the documents. The
 * query is used up by it.
 */
export declare function count<TableInfo extends GenericTableInfo>(
  query: OrderedQuery<TableInfo>,
): Promise<number>;

/**
 * Hashes a password with argon2id and a salt of its own, for {@link verifyPassword}; the hash is a PHC string. In
 * mutations only.
 *
 * It takes tens of milliseconds, on threads that the host has for it: the mutation ends where it awaits this, and runs
 * again from its start when the hash is there. More than 8 in a call end it. The error codes are `InvalidPassword` (empty,
 * or longer than 1,024 bytes of UTF-8) and `Overloaded`.
 */
export declare function hashPassword(password: string): Promise<string>;

/**
 * Whether this is the password that was hashed; as slow as {@link hashPassword}, and in mutations only. A further error
 * code is `InvalidPasswordHash`: not an argon2id hash as a PHC string, or one that asks for too much.
 */
export declare function verifyPassword(password: string, hash: string): Promise<boolean>;

/** A table of the host's own. */
interface SystemTable<TableName extends string, Fields> {
  document: { _id: GenericId<TableName>; _creationTime: number } & Fields;
  fieldPaths: "_id" | "_creationTime" | (keyof Fields & string);
  indexes: { by_id: ["_id"]; by_creation_time: ["_creationTime"] };
  searchIndexes: {};
  vectorIndexes: {};
}

/** The tables of Weir's own, beside those that npm `convex` knows. */
export type SystemTables = {
  /** The indexes of all tables. */
  _indexes: SystemTable<
    "_indexes",
    {
      table: string;
      tableNumber: number;
      number: number;
      name: string;
      fields: string[];
      staged: boolean;
      state: "building" | "ready" | "dropping";
    }
  >;
  /** The deployment in force: one document. */
  _deployments: SystemTable<"_deployments", { record: any; schema: any }>;
};

/** `db.system`, with the types of Weir's own tables: `systemTables(ctx.db).query("_indexes")`. */
export declare function systemTables(
  db: Pick<GenericDatabaseReader<any>, "system">,
): Pick<GenericDatabaseReader<SystemTables>, "get" | "query" | "normalizeId">;
