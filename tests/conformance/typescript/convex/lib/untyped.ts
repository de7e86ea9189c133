import type {
  AnyDataModel,
  GenericMutationCtx,
  GenericQueryCtx,
  MutationBuilder,
  QueryBuilder,
} from "convex/server";
import { mutationGeneric, queryGeneric } from "convex/server";

/** A query over tables that the schema does not name. */
export const query: QueryBuilder<AnyDataModel, "public"> = queryGeneric;

/** A mutation over tables that the schema does not name. */
export const mutation: MutationBuilder<AnyDataModel, "public"> = mutationGeneric;

export type QueryCtx = GenericQueryCtx<AnyDataModel>;
export type MutationCtx = GenericMutationCtx<AnyDataModel>;
